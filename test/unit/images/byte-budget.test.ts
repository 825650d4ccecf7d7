import { expect, it } from 'vitest';
import { ByteBudget } from '../../../src/images/byte-budget.js';

const settled = async (promise: Promise<void>) =>
  Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);

it('lets work in while it fits and the rest when earlier work ends', async () => {
  const budget = new ByteBudget(10);
  const [first, second, third] = [budget.open(), budget.open(), budget.open()];
  await first.take(6);
  await second.take(4);
  const waits = third.take(5);
  expect(await settled(waits)).toBe(false);
  second.close();
  expect(await settled(waits)).toBe(false);
  first.close();
  expect(await settled(waits)).toBe(true);
  expect(budget.used).toBe(5);
  third.close();
  third.close();
  expect(budget.used).toBe(0);
});

it('what is no number of bytes is refused, and the budget stays as it was', async () => {
  const budget = new ByteBudget(10);
  const [first, second] = [budget.open(), budget.open()];
  await first.take(4);
  for (const bytes of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    await expect(second.take(bytes)).rejects.toMatchObject({ code: 'E_INTERNAL' });
    expect(() => second.keep(bytes)).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
  }
  expect(budget.used).toBe(4);
  expect(await settled(second.take(6))).toBe(true);
  expect(await settled(second.take(1))).toBe(false);
});

it('the oldest work always goes on, so that nothing waits for ever', async () => {
  const budget = new ByteBudget(10);
  const [first, second] = [budget.open(), budget.open()];
  await second.take(10);
  expect(await settled(first.take(100))).toBe(true);
  const waits = second.take(1);
  expect(await settled(waits)).toBe(false);
  first.close();
  expect(await settled(waits)).toBe(true);
});

it('work that is given up leaves no one waiting', async () => {
  const budget = new ByteBudget(1);
  const [first, second] = [budget.open(), budget.open()];
  await first.take(1);
  const waits = second.take(1);
  second.close();
  expect(await settled(waits)).toBe(true);
  expect(budget.used).toBe(1);
});

it('serves by rank, and lets nobody else exceed the limit while one does', async () => {
  const budget = new ByteBudget(10);
  const low = budget.open(3);
  await low.take(100);
  const [middle, high] = [budget.open(2), budget.open(1)];
  const waits = { middle: middle.take(10), high: high.take(20) };
  expect(await settled(waits.high)).toBe(false);
  // Whoever exceeds goes on, or its work would never end.
  expect(await settled(low.take(1))).toBe(true);
  low.close();
  expect(await settled(waits.high)).toBe(true);
  expect(await settled(waits.middle)).toBe(false);
  high.close();
  expect(await settled(waits.middle)).toBe(true);
  expect(budget.used).toBe(10);
});

it('results that are not taken count, and hold up those behind them in their line alone', async () => {
  const budget = new ByteBudget(10);
  const line = {};
  const [first, second, other] = [budget.open(1, line), budget.open(2, line), budget.open(3)];
  await first.take(30);
  first.keep(9);
  expect(budget.used).toBe(9);
  const waits = { second: second.take(5), other: other.take(50) };
  expect(await settled(waits.other)).toBe(true);
  expect(await settled(waits.second)).toBe(false);
  other.close();
  expect(await settled(waits.second)).toBe(false);
  first.keep(4);
  expect(await settled(waits.second)).toBe(true);
  first.keep(0);
  second.close();
  expect(budget.used).toBe(0);
});

it('whoever stands before results of its line goes on, as the caller waits for it', async () => {
  const budget = new ByteBudget(10);
  const line = {};
  const [first, second, third] = [budget.open(1, line), budget.open(2, line), budget.open(3, line)];
  await second.take(8);
  second.keep(8);
  const waits = { first: first.take(20), third: third.take(5) };
  expect(await settled(waits.first)).toBe(true);
  first.keep(20);
  expect(await settled(waits.third)).toBe(false);
  first.close();
  expect(await settled(waits.third)).toBe(false);
  second.close();
  expect(await settled(waits.third)).toBe(true);
});
