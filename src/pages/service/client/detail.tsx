/** One picture: its map over it, its regions, its score. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { isBank, type Thresholds, thresholdFor } from './choice.js';
import { verdict } from './downloads.js';
import { colourAt, heatCanvas, hottestOf } from './heat.js';
import type { Item } from './session.js';

export interface Look {
  opacity: number;
  hasRegions: boolean;
}

export function Detail({ item, look, thresholds }: { item: Item; look: Look; thresholds: Thresholds }) {
  const heat = useRef<HTMLCanvasElement>(null);
  const [isShown, setShown] = useState(true);
  const { result, map } = item;
  useEffect(() => setShown(true), [item.id]);
  useEffect(() => {
    const canvas = heat.current;
    if (!canvas || !map) return;
    canvas.width = map.width;
    canvas.height = map.height;
    canvas.getContext('2d')!.drawImage(heatCanvas(map, hottestOf(item)), 0, 0);
  }, [map, item.id]);
  const box = result && `0 0 ${result.width} ${result.height}`;
  return (
    <article class="card detail" aria-labelledby="detail-name">
      <h2 id="detail-name">{item.name}</h2>
      <Told item={item} threshold={thresholdFor(item, thresholds)} />
      <div class="stack">
        <img src={item.url} alt={item.name} onError={() => setShown(false)} hidden={!isShown} />
        {!isShown && <p>This browser does not show pictures of this format; it was scored all the same.</p>}
        {map && (
          <canvas
            ref={heat}
            class={isShown ? 'over' : 'alone'}
            style={{ opacity: look.opacity }}
            role="img"
            aria-label="Anomaly map over it"
          />
        )}
        {result && look.hasRegions && isShown && (
          <svg class="over" viewBox={box} preserveAspectRatio="none" aria-hidden="true">
            {result.regions?.map(({ x, y, width, height }) => (
              <rect key={`${x},${y}`} x={x} y={y} width={width} height={height} />
            ))}
          </svg>
        )}
      </div>
      {result && <Scale hottest={hottestOf(item)} />}
      {result && <Regions result={result} />}
    </article>
  );
}

function Told({ item: { state, result, error, by }, threshold }: { item: Item; threshold: number }) {
  if (state === 'failed') return <p class="wrong">Not scored: {error}</p>;
  if (!result) return <p>Is being scored.</p>;
  const is = verdict(result.score, threshold);
  return (
    <p class="told">
      <strong class={is}>{is}</strong> score <b>{result.score.toFixed(4)}</b>, threshold{' '}
      {threshold.toFixed(3)}, {result.width} x {result.height} pixels
      {by && isBank(by) && `, compared with the good pictures ${by.bank}`}
    </p>
  );
}

/** What the colours mean. */
function Scale({ hottest }: { hottest: number }) {
  const bar = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = bar.current?.getContext('2d');
    if (!context) return;
    for (let x = 0; x < 256; x++) {
      context.fillStyle = `rgb(${colourAt(x / 255).join(' ')})`;
      context.fillRect(x, 0, 1, 8);
    }
  }, []);
  return (
    <p class="scale">
      <span>0</span>
      <canvas ref={bar} width={256} height={8} role="img" aria-label="from dark over red to yellow" />
      <span>{hottest === 1 ? 1 : hottest.toFixed(3)}</span>{' '}
      <span class="soft">value of the map: cold is transparent</span>
    </p>
  );
}

function Regions({ result: { regions } }: { result: NonNullable<Item['result']> }) {
  if (regions === null)
    return <p class="soft">No regions: no threshold of the map is known for these settings.</p>;
  if (regions.length === 0) return <p class="soft">No region reaches the threshold of the map.</p>;
  return (
    <div class="scroll">
      <table>
        <caption>Regions, in the picture's pixels</caption>
        <thead>
          <tr>
            {['peak', 'x', 'y', 'width', 'height'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {regions.map(({ x, y, width, height, peak }) => (
            <tr key={`${x},${y}`}>
              <td>{peak.toFixed(3)}</td>
              <td>{x}</td>
              <td>{y}</td>
              <td>{width}</td>
              <td>{height}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
