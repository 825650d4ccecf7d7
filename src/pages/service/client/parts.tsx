/** Small parts of the page. */
import { useState } from 'preact/hooks';
import { token } from './api.js';
import { verdict } from './downloads.js';
import type { Item } from './session.js';

export function TokenForm({ connect }: { connect: () => Promise<void> }) {
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

export function Slider({ name, value, set }: { name: string; value: number; set: (value: number) => void }) {
  return (
    <label class="slider">
      {name}{' '}
      <input
        type="range"
        min={0}
        max={1}
        step={0.001}
        value={value}
        onInput={(event) => set(Number(event.currentTarget.value))}
      />{' '}
      <output>{value.toFixed(3)}</output>
    </label>
  );
}

export function Entry({
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
