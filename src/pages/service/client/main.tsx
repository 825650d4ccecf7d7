/** The page of the service: pictures in, scores and maps out. Nothing leaves the service and this tab. */
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { banks as askBanks, models as askModels, type Banks, type Model, Refusal } from './api.js';
import { Camera } from './camera.js';
import {
  type Choice,
  isBank,
  k_noThreshold,
  keyOf,
  rateOf,
  type Thresholds,
  thresholdFor,
} from './choice.js';
import { Detail, type Look } from './detail.js';
import { saveCsv, saveJson, saveOverlays } from './downloads.js';
import { Good } from './good.js';
import { Kept } from './kept.js';
import { Entry, Slider, TokenForm } from './parts.js';
import { type Item, Session } from './session.js';

function Page() {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [models, setModels] = useState<Model[]>([]);
  const [banks, setBanks] = useState<Banks>({ normals: [], limits: null, mayWrite: false });
  const [choice, setChoice] = useState<Choice>({ model: '', prompts: null });
  const [thresholds, setThresholds] = useState<Thresholds>({});
  const [chosen, setChosen] = useState<number>();
  const [look, setLook] = useState<Look>({ opacity: 0.7, hasRegions: true });
  const [isTokenWanted, setTokenWanted] = useState(false);
  const [fault, setFault] = useState('');
  const [isOver, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const session = useMemo(() => new Session(setItems, () => setTokenWanted(true)), []);

  const connect = async () => {
    setFault('');
    try {
      const [found, kept] = await Promise.all([askModels(), askBanks()]);
      setTokenWanted(false);
      setModels(found);
      setBanks(kept);
      if (found[0]) chooseModel(found[0]);
    } catch (thrown) {
      if (thrown instanceof Refusal && thrown.status === 401) setTokenWanted(true);
      else {
        setFault((thrown as Error).message);
        setTimeout(() => void connect(), 2000);
      }
    }
  };
  const choose = (next: Choice) => {
    setChoice(next);
    session.choose(next);
  };
  const chooseModel = (model: Model, prompts: string | null = model.defaultPrompts) =>
    choose({ model: model.name, prompts });
  const chooseBank = (name: string, from = banks) => {
    const bank = from.normals.find((one) => one.name === name);
    if (bank) choose({ model: bank.model, bank: name, created: bank.created, rate: rateOf(bank.pictures) });
  };
  const kept = async (name: string) => {
    const now = await askBanks();
    setBanks(now);
    chooseBank(name, now);
    session.again();
  };
  const deleted = async (name: string) => {
    if (isBank(choice) && choice.bank === name && model) chooseModel(model);
    setBanks({ ...banks, normals: banks.normals.filter((bank) => bank.name !== name) });
    // What else others changed meanwhile.
    await askBanks().then(setBanks, () => {});
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
  const anomalous = items.filter(
    (one) => one.result && one.result.score >= thresholdFor(one, thresholds),
  ).length;
  const item = items.find(({ id }) => id === chosen) ?? items[0];
  const model = models.find(({ name }) => name === choice.model);
  const promptNames = model?.defaultPrompts == null ? [] : model.prompts;
  const ofModel = banks.normals.filter((bank) => bank.model === choice.model);
  // What is set; else what the service said of a picture of the same choice; else what it says of the model.
  const alike = items.find(({ by, result }) => by && result && keyOf(by) === keyOf(choice));
  const known = alike ? alike.result!.threshold : isBank(choice) ? null : (model?.threshold ?? null);
  const threshold = thresholds[keyOf(choice)] ?? known ?? k_noThreshold;
  const others = items.filter(({ by }) => by && keyOf(by) !== keyOf(choice)).length;
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
          {model && (promptNames.length > 1 || ofModel.length > 0) && (
            <label>
              Compared with{' '}
              <select
                value={isBank(choice) ? `bank ${choice.bank}` : `prompts ${choice.prompts ?? ''}`}
                onChange={({ currentTarget: { value } }) =>
                  value.startsWith('bank ')
                    ? chooseBank(value.slice('bank '.length))
                    : chooseModel(model, value.slice('prompts '.length) || null)
                }
              >
                {promptNames.length === 0 && <option value="prompts ">texts of the method</option>}
                {promptNames.map((name) => (
                  <option key={name} value={`prompts ${name}`}>
                    prompts {name}
                  </option>
                ))}
                {ofModel.map(({ name, pictures }) => (
                  <option key={`bank ${name}`} value={`bank ${name}`}>
                    {pictures} good {pictures === 1 ? 'picture' : 'pictures'}: {name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      </section>
      <section aria-label="How results are shown" class="row">
        <Slider
          name="Threshold"
          value={threshold}
          set={(value) => setThresholds({ ...thresholds, [keyOf(choice)]: value })}
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
      <About choice={choice} known={known} threshold={threshold} hasResults={alike !== undefined} />
      <Kept banks={banks} deleted={deleted} />
      {others > 0 && (
        <p class="row">
          <span class="soft">
            {others} {others === 1 ? 'was' : 'were'} compared with something else, and{' '}
            {others === 1 ? 'keeps its' : 'keep their'} own threshold.
          </span>
          <button type="button" onClick={() => session.again()}>
            Score all again
          </button>
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
                  threshold={thresholdFor(one, thresholds)}
                  isChosen={one.id === item?.id}
                  choose={() => setChosen(one.id)}
                />
              ))}
            </ul>
            <div class="row">
              <span>Download</span>
              <button type="button" onClick={() => saveJson(items, thresholds)}>
                JSON
              </button>
              <button type="button" onClick={() => saveCsv(items, thresholds)}>
                CSV
              </button>
              <button type="button" onClick={() => void saveOverlays(items, look.opacity)}>
                Overlays
              </button>
              <button type="button" onClick={() => session.clear()}>
                Clear
              </button>
            </div>
            <Good items={items} model={choice.model} banks={banks} kept={(name) => void kept(name)} />
          </section>
          {item && <Detail item={item} look={look} thresholds={thresholds} />}
        </div>
      )}
    </>
  );
}

/** Where the threshold comes from. */
function About({
  choice,
  known,
  threshold,
  hasResults,
}: {
  choice: Choice;
  known: number | null;
  threshold: number;
  hasResults: boolean;
}) {
  if (choice.model === '') return null;
  if (isBank(choice) && choice.rate !== null) {
    const share = (100 * choice.rate).toFixed(1).replace(/\.0$/, '');
    return (
      <p class="soft">
        {hasResults ? `At ${known?.toFixed(3)}` : 'At the threshold that the service chooses'}, at most{' '}
        {share} % of good parts are called anomalous; more good pictures hold a lower share.
      </p>
    );
  }
  if (known !== null) return null;
  return (
    <p class="soft">
      No threshold is known for {isBank(choice) ? 'one good picture' : 'this model and these prompts'}:{' '}
      {threshold} is only a beginning.
    </p>
  );
}

render(<Page />, document.querySelector('main')!);
