/** The page of the service: pictures in, scores and maps out. Nothing leaves the service and this tab. */
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { models as askModels, type Model, Refusal, token } from './api.js';
import { Camera } from './camera.js';
import { Detail, type Look } from './detail.js';
import { saveCsv, saveJson, saveOverlays, verdict } from './downloads.js';
import { type Item, Session } from './session.js';

const k_noThreshold = 0.5;

function Page() {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [models, setModels] = useState<Model[]>([]);
  const [choice, setChoice] = useState({ model: '', prompts: '' });
  const [chosen, setChosen] = useState<number>();
  const [look, setLook] = useState<Look>({ threshold: k_noThreshold, opacity: 0.7, hasRegions: true });
  const [isTokenWanted, setTokenWanted] = useState(false);
  const [fault, setFault] = useState('');
  const [isOver, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const session = useMemo(() => new Session(setItems, () => setTokenWanted(true)), []);

  const connect = async () => {
    setFault('');
    try {
      const found = await askModels();
      setTokenWanted(false);
      setModels(found);
      if (found[0]) chooseModel(found[0]);
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.status === 401) setTokenWanted(true);
      else {
        setFault((thrown as Error).message);
        setTimeout(() => void connect(), 2000);
      }
    }
  };
  const chooseModel = (model: Model, prompts = model.defaultPrompts) => {
    const next = { model: model.name, prompts };
    setChoice(next);
    setLook((old) => ({ ...old, threshold: model.threshold ?? k_noThreshold }));
    session.choose(next);
  };
  const add = (files: readonly { name: string; file: Blob }[]) => {
    const [first] = session.add(files);
    if (first) setChosen(first.id);
  };
  const addFiles = (files: Iterable<File>) =>
    add([...files].map((file) => ({ name: file.name || 'picture', file })));

  useEffect(() => {
    void connect();
    const onPaste = (event: ClipboardEvent) => addFiles(event.clipboardData?.files ?? []);
    const onOver = (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    };
    const onDrop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      addFiles(event.dataTransfer?.files ?? []);
    };
    const onLeave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    document.addEventListener('paste', onPaste);
    document.addEventListener('dragover', onOver);
    document.addEventListener('drop', onDrop);
    document.addEventListener('dragleave', onLeave);
  }, []);

  const done = items.filter(({ state }) => state === 'done' || state === 'failed').length;
  const anomalous = items.filter(({ result }) => result && result.score >= look.threshold).length;
  const item = items.find(({ id }) => id === chosen) ?? items[0];
  const model = models.find(({ name }) => name === choice.model);
  const said =
    items.length === 0 ? 'No picture yet.' : `${done} of ${items.length} scored, ${anomalous} anomalous.`;
  return (
    <>
      <header>
        <h1>Find defects</h1>
        <p class="soft">
          Drop or paste pictures anywhere on this page. They go to this service and nowhere else.
        </p>
      </header>
      {fault && (
        <p class="warning" role="alert">
          {fault}: trying again.
        </p>
      )}
      {isTokenWanted && <TokenForm connect={connect} />}
      <section aria-label="Pictures in" class={isOver ? 'drop over-it' : 'drop'}>
        <div class="row">
          <button type="button" class="main" onClick={() => picker.current?.click()}>
            Choose pictures
          </button>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            accept="image/*,.tif,.tiff,.pgm,.ppm,.pbm,.pfm,.bmp"
            aria-label="Pictures"
            onChange={(event) => {
              addFiles(event.currentTarget.files ?? []);
              event.currentTarget.value = '';
            }}
          />
          <Camera take={(file) => add([{ name: `camera ${new Date().toLocaleTimeString()}`, file }])} />
          {models.length > 1 && (
            <label>
              Model{' '}
              <select
                value={choice.model}
                onChange={(event) =>
                  chooseModel(models.find(({ name }) => name === event.currentTarget.value)!)
                }
              >
                {models.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
          {model && model.prompts.length > 1 && (
            <label>
              Prompts{' '}
              <select
                value={choice.prompts}
                onChange={(event) => chooseModel(model, event.currentTarget.value)}
              >
                {model.prompts.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
        </div>
      </section>
      <section aria-label="How results are shown" class="row">
        <Slider
          name="Threshold"
          value={look.threshold}
          set={(threshold) => setLook({ ...look, threshold })}
        />
        <Slider
          name="Opacity of the map"
          value={look.opacity}
          set={(opacity) => setLook({ ...look, opacity })}
        />
        <label>
          <input
            type="checkbox"
            checked={look.hasRegions}
            onChange={(event) => setLook({ ...look, hasRegions: event.currentTarget.checked })}
          />{' '}
          Regions
        </label>
      </section>
      {model && model.threshold === null && (
        <p class="soft">
          No threshold is known for this model and these prompts: {look.threshold} is only a beginning.
        </p>
      )}
      <p role="status" class="said">
        {said}
      </p>
      {items.length > 0 && (
        <div class="columns">
          <section aria-label="Pictures of this visit">
            <ul class="history">
              {items.map((one) => (
                <Entry
                  key={one.id}
                  item={one}
                  threshold={look.threshold}
                  isChosen={one.id === item?.id}
                  choose={() => setChosen(one.id)}
                />
              ))}
            </ul>
            <div class="row">
              <span>Download</span>
              <button type="button" onClick={() => saveJson(items, look.threshold)}>
                JSON
              </button>
              <button type="button" onClick={() => saveCsv(items, look.threshold)}>
                CSV
              </button>
              <button type="button" onClick={() => void saveOverlays(items, look.opacity)}>
                Overlays
              </button>
              <button type="button" onClick={() => session.clear()}>
                Clear
              </button>
            </div>
          </section>
          {item && <Detail item={item} look={look} />}
        </div>
      )}
    </>
  );
}

function TokenForm({ connect }: { connect: () => Promise<void> }) {
  const [value, setValue] = useState('');
  const [isRefused, setRefused] = useState(token.get() !== '');
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        token.set(value.trim());
        setRefused(true);
        void connect();
      }}
    >
      <label>
        Access token{' '}
        <input
          type="password"
          autocomplete="off"
          value={value}
          onInput={(event) => {
            setValue(event.currentTarget.value);
            setRefused(false);
          }}
        />
      </label>{' '}
      <button type="submit" class="main">
        Use it
      </button>
      {isRefused && (
        <p class="wrong" role="alert">
          This token is not known.
        </p>
      )}
      <p class="soft">Whoever runs this service has it. It is kept in this tab alone.</p>
    </form>
  );
}

function Slider({ name, value, set }: { name: string; value: number; set: (value: number) => void }) {
  return (
    <label class="slider">
      {name}{' '}
      <input
        type="range"
        min={0}
        max={1}
        step={0.005}
        value={value}
        onInput={(event) => set(Number(event.currentTarget.value))}
      />{' '}
      <output>{value.toFixed(3)}</output>
    </label>
  );
}

function Entry({
  item: { name, url, state, result },
  threshold,
  isChosen,
  choose,
}: {
  item: Item;
  threshold: number;
  isChosen: boolean;
  choose: () => void;
}) {
  const is = result ? verdict(result.score, threshold) : state === 'failed' ? 'failed' : 'waiting';
  return (
    <li>
      <button type="button" aria-pressed={isChosen} onClick={choose}>
        <img src={url} alt="" />
        <span class="name">{name}</span>
        <span class={`is ${is}`}>
          {is} {result?.score.toFixed(3)}
        </span>
      </button>
    </li>
  );
}

render(<Page />, document.querySelector('main')!);
