/** "These are good": pictures of this visit become a bank that others are compared with. */
import { useState } from 'preact/hooks';
import { type Banks, keepBank } from './api.js';
import type { Item } from './session.js';

/** One has no other to be compared with: nothing would tell where good ends. */
const k_least = 2;

interface Wanted {
  items: readonly Item[];
  model: string;
  banks: Banks;
  /** the bank is there now */
  kept: (name: string) => void;
}

export function Good(wanted: Wanted) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        These are good
      </button>
      {isOpen && wanted.banks.limits === null && (
        <p class="warning" role="alert">
          This service keeps no good pictures: whoever runs it starts it with --data-folder FOLDER.
        </p>
      )}
      {isOpen && wanted.banks.limits !== null && !wanted.banks.mayWrite && (
        <p class="warning" role="alert">
          Who keeps good pictures needs a token with the right to write.
        </p>
      )}
      {isOpen && wanted.banks.mayWrite && <Form {...wanted} close={() => setOpen(false)} />}
    </>
  );
}

function Form({ items, model, banks, kept, close }: Wanted & { close: () => void }) {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [name, setName] = useState('good-parts');
  const [fault, setFault] = useState('');
  const [isWorking, setWorking] = useState(false);
  const good = items.filter(({ id }) => chosen.has(id));
  const most = banks.limits!.pictures;
  const toggle = (id: number) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const keep = async () => {
    setFault('');
    setWorking(true);
    try {
      await keepBank(name, model, good);
      kept(name);
      close();
    } catch (thrown) {
      setFault((thrown as Error).message);
    } finally {
      setWorking(false);
    }
  };
  return (
    <form
      class="card good"
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <fieldset disabled={isWorking}>
        <legend>Which of these show good parts?</legend>
        <p class="soft">
          Only good ones: a defect among them makes its like invisible. At least {k_least}, better four or
          more, at most {most}.
        </p>
        <ul>
          {items.map(({ id, name: shown, url }) => (
            <li key={id}>
              <label>
                <input type="checkbox" checked={chosen.has(id)} onChange={() => toggle(id)} />{' '}
                <img src={url} alt="" /> <span class="name">{shown}</span>
              </label>
            </li>
          ))}
        </ul>
        <div class="row">
          <button type="button" onClick={() => setChosen(new Set(items.map(({ id }) => id)))}>
            All
          </button>
          <label>
            Name{' '}
            <input
              type="text"
              value={name}
              required
              maxLength={64}
              pattern="[A-Za-z0-9][A-Za-z0-9+._\-]*"
              title="letters, digits, + . _ -"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="main" disabled={good.length < k_least || good.length > most}>
            Keep {good.length} as good
          </button>
        </div>
      </fieldset>
      {isWorking && <p role="status">Learning what good parts look like.</p>}
      {fault && (
        <p class="wrong" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}
