/** A calibration in plain words: what was chosen, what it promises, how sure it is, and when it does not hold. */

import type { BestF1Threshold, Calibration, ConformalThreshold } from '../models/calibration.js';
import { visible } from '../terminal/visible.js';

export function explain(calibration: Calibration): string {
  const { settings, prompts, data, pictures, rule } = calibration;
  const { normal, anomalous, failed } = pictures;
  const lines = [
    `settings       ${settings}, ${prompts ? `prompts ${visible(prompts.name)}` : 'nothing learned'}`,
    `pictures       ${normal} normal${rule === 'best-f1' ? `, ${anomalous} anomalous (${pictures.withMask} with a mask)` : ''} of ${visible(data.name)} (${data.split}), content ${data.hash.slice(0, 12)}${failed > 0 ? `; ${failed} failed` : ''}`,
    ...(calibration.rule === 'best-f1' ? ofBestF1(calibration) : ofRate(calibration)),
  ];
  if (calibration.learnedOn !== null) {
    lines.push(
      `WARNING        the prompts were learned on these pictures (${visible(calibration.learnedOn)}): they score better here than on new ones. Calibrate on others.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Where a threshold in use comes from. */
export function oneLine(calibration: Calibration): string {
  const { rule, pictures, data, date } = calibration;
  const chosen =
    rule === 'best-f1'
      ? 'best F1'
      : `at most ${percent(calibration.falseAlarmRate)} of normal pictures above it`;
  return `${chosen}, from ${pictures.normal + pictures.anomalous} pictures of ${visible(data.name)}, ${date.slice(0, 10)}`;
}

function ofBestF1({ image, map, pictures }: Extract<Calibration, { rule: 'best-f1' }>): string[] {
  return [
    `threshold      ${threshold(image)}`,
    `               ${achieved(image, 'pictures')}`,
    ...(map === null
      ? ['map threshold  none: no anomalous picture has a mask']
      : [`map threshold  ${threshold(map)}`, `               ${achieved(map, 'pixels')}`]),
    image.f1Unseen === null
      ? 'new pictures   how well it does on them is not known'
      : `new pictures   F1 of about ${percent(image.f1Unseen)} on pictures left out in turn; ${pictures.normal + pictures.anomalous} pictures, and other kinds of defect may differ`,
  ];
}

function threshold({ threshold: value, interval }: BestF1Threshold): string {
  return `${decimal(value)}, best F1; ${percent(interval.level)} interval ${decimal(interval.low)} to ${decimal(interval.high)} (bootstrap over pictures)`;
}

function achieved({ f1, precision, recall }: BestF1Threshold, what: string): string {
  return `on these ${what}: F1 ${percent(f1)}, precision ${percent(precision)}, recall ${percent(recall)}`;
}

function ofRate({
  image,
  map,
  falseAlarmRate,
  pictures,
}: Extract<Calibration, { rule: 'false-alarm-rate' }>): string[] {
  const n = pictures.normal;
  return [
    `threshold      ${decimal(image.threshold)}, just above the score of rank ${image.rank} of ${n}`,
    `map threshold  ${decimal(map.threshold)}, just above the map maximum of rank ${map.rank} of ${n}`,
    `promise        a new normal picture is called anomalous with a probability of at most ${percent(falseAlarmRate)}, and has a region with at most the same`,
    '               It holds on average over the choice of these pictures, if new normal pictures come from the same',
    '               source in the same way (exchangeable), whatever their scores look like; it says nothing about single',
    '               kinds of picture, nor about how many anomalous ones are found.',
    `how sure       with these ${n} pictures the rate is ${rates(image)} (if no scores are equal; else lower)`,
  ];
}

function rates({ expected, interval }: ConformalThreshold): string {
  return `${percent(interval.low)} to ${percent(interval.high)} with ${percent(interval.level)} probability, ${percent(expected)} on average`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function decimal(value: number): string {
  return value.toFixed(4);
}
