/** The banks that the service keeps, and who may deletes one: asked once more before, since it holds for everybody. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Bank, type Banks, deleteBank } from './api.js';

interface Wanted {
  banks: Banks;
  /** the bank is there no more */
  deleted: (name: string) => Promise<void>;
}

export function Kept({ banks: { normals, limits, mayWrite }, deleted }: Wanted) {
  const [doomed, setDoomed] = useState<Bank>();
  const [said, setSaid] = useState('');
  const heading = useRef<HTMLElement>(null);
  if (limits === null) return null;
  const gone = async (name: string) => {
    await deleted(name);
    setDoomed(undefined);
    setSaid(`${name} was deleted.`);
    // Its button, to which a browser would go back, went with it.
    heading.current?.focus();
  };
  return (
    <details class="kept">
      <summary ref={heading}>
        Banks of good pictures: {normals.length} of at most {limits.banks}
      </summary>
      <ul>
        {normals.map((bank) => (
          <li key={bank.name} class="row">
            <span>
              <strong>{bank.name}</strong>{' '}
              <span class="soft">
                {counted(bank)}, {bank.model}, {new Date(bank.created).toLocaleString()}, {sized(bank.bytes)}
              </span>
            </span>
            {mayWrite && (
              <button type="button" aria-label={`Delete ${bank.name}`} onClick={() => setDoomed(bank)}>
                Delete
              </button>
            )}
          </li>
        ))}
      </ul>
      {!mayWrite && <p class="soft">Who deletes banks needs a token with the right to write.</p>}
      <p role="status" class="soft">
        {said}
      </p>
      {doomed && <Question bank={doomed} close={() => setDoomed(undefined)} gone={gone} />}
    </details>
  );
}

function Question(wanted: { bank: Bank; close: () => void; gone: (name: string) => Promise<void> }) {
  const { bank, close, gone } = wanted;
  const dialog = useRef<HTMLDialogElement>(null);
  const [fault, setFault] = useState('');
  const [isWorking, setWorking] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const destroy = async () => {
    setFault('');
    setWorking(true);
    try {
      await deleteBank(bank.name);
    } catch (thrown) {
      setFault((thrown as Error).message);
      setWorking(false);
      return;
    }
    dialog.current?.close();
    await gone(bank.name);
  };
  return (
    <dialog ref={dialog} class="card" aria-labelledby="question" aria-describedby="outcome" onClose={close}>
      <h2 id="question">Delete the bank {bank.name}?</h2>
      <p id="outcome">
        Nobody can compare with its {counted(bank)} any more. The service keeps no copy. Results that are
        there stay.
      </p>
      {fault && (
        <p class="wrong" role="alert">
          {fault}
        </p>
      )}
      <div class="row">
        <button type="button" disabled={isWorking} onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button type="button" class="main" disabled={isWorking} onClick={() => void destroy()}>
          Delete it
        </button>
      </div>
    </dialog>
  );
}

function sized(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function counted({ pictures }: Bank): string {
  return `${pictures} good ${pictures === 1 ? 'picture' : 'pictures'}`;
}
