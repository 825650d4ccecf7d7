// Moves the threshold: by slider, number, button or a press into the histogram; everything that depends on it follows.
{
  interface ClassScores {
    set: number;
    normal: number[];
    anomalous: number[];
  }
  interface Scores {
    low: number;
    high: number;
    steps: number;
    stored: number | null;
    start: number;
    classes: ClassScores[];
    groups: { label: string; set: number | null; classes: number[]; bestF1: number | null }[];
  }

  const data = document.querySelector('#scores');
  const group = document.querySelector<HTMLSelectElement>('#group');
  const range = document.querySelector<HTMLInputElement>('#threshold-range');
  const field = document.querySelector<HTMLInputElement>('#threshold-value');
  const said = document.querySelector<HTMLElement>('#said');
  if (data && group && range && field && said) {
    const scores = JSON.parse(data.textContent ?? '') as Scores;
    let threshold = scores.start;

    const countBelow = (sorted: number[], value: number) => {
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sorted[middle]! < value) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    const countsOf = (classes: ClassScores[], value: number) => {
      const counts = { truePositives: 0, falseNegatives: 0, falsePositives: 0, trueNegatives: 0 };
      for (const { normal, anomalous } of classes) {
        const quiet = countBelow(normal, value);
        const missed = countBelow(anomalous, value);
        counts.trueNegatives += quiet;
        counts.falsePositives += normal.length - quiet;
        counts.falseNegatives += missed;
        counts.truePositives += anomalous.length - missed;
      }
      return counts;
    };
    const ratesOf = (counts: ReturnType<typeof countsOf>) => {
      const { truePositives, falseNegatives, falsePositives, trueNegatives } = counts;
      const ratio = (part: number, whole: number) => (whole === 0 ? undefined : part / whole);
      return {
        precision: ratio(truePositives, truePositives + falsePositives),
        recall: ratio(truePositives, truePositives + falseNegatives),
        falseAlarmRate: ratio(falsePositives, falsePositives + trueNegatives),
        f1:
          truePositives + falseNegatives === 0
            ? undefined
            : (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
      };
    };
    const percent = (value: number | undefined) => (value === undefined ? 'n/a' : (100 * value).toFixed(1));
    const scoreText = (value: number) =>
      Math.abs(value) >= 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(2);

    const chosen = () => scores.groups[Number(group.value)]!;
    const chosenClasses = () => chosen().classes.map((index) => scores.classes[index]!);
    const shareOf = (value: number) =>
      Math.min(1, Math.max(0, (value - scores.low) / (scores.high - scores.low)));

    /** just above the highest normal score that may not be an alarm */
    const forFalseAlarms = (rate: number) => {
      const normal = chosenClasses()
        .flatMap((one) => one.normal)
        .sort((a, b) => a - b);
      if (normal.length === 0) return threshold;
      const quiet = normal[normal.length - 1 - Math.floor(rate * normal.length + 1e-9)]!;
      const next = Math.min(
        ...normal.filter((score) => score > quiet),
        quiet + (scores.high - scores.low) * 2e-4,
      );
      return quiet + (next - quiet) / 2;
    };

    const showCounts = () => {
      const counts = countsOf(chosenClasses(), threshold);
      const rates = ratesOf(counts);
      for (const cell of document.querySelectorAll<HTMLElement>('[data-out]')) {
        const name = cell.dataset['out']!;
        cell.textContent =
          name in counts
            ? String(counts[name as keyof typeof counts])
            : percent(rates[name as keyof typeof rates]);
      }
      said.textContent = `At ${scoreText(threshold)}, ${chosen().label}: ${counts.truePositives} found, ${counts.falseNegatives} missed, ${counts.falsePositives} false alarms`;
      for (const [index, row] of [...document.querySelectorAll('#per-class tbody tr')].entries()) {
        const own = countsOf([scores.classes[index]!], threshold);
        const { precision, recall, falseAlarmRate } = ratesOf(own);
        const cells = [
          own.truePositives,
          own.falseNegatives,
          own.falsePositives,
          own.trueNegatives,
          percent(precision),
          percent(recall),
          percent(falseAlarmRate),
        ];
        for (const [at, cell] of cells.entries()) row.children[at + 2]!.textContent = String(cell);
      }
    };

    const showMarks = () => {
      for (const chart of document.querySelectorAll<SVGSVGElement>('svg.histogram')) {
        chart.toggleAttribute('hidden', chart.dataset['group'] !== group.value);
        const left = Number(chart.dataset['left']);
        const right = Number(chart.dataset['right']);
        const x = left + shareOf(threshold) * (right - left);
        chart.querySelector('.mark')!.setAttribute('transform', `translate(${x} 0)`);
        const called = chart.querySelector('.called')!;
        called.setAttribute('x', String(x));
        called.setAttribute('width', String(right - x));
      }
      for (const card of document.querySelectorAll<HTMLElement>('[data-score]')) {
        const isCalled = Number(card.dataset['score']) >= threshold;
        const isAnomalous = card.dataset['truth'] === 'anomalous';
        card.dataset['verdict'] = isCalled === isAnomalous ? 'right' : 'wrong';
        card.querySelector('.verdict')!.textContent =
          isCalled === isAnomalous
            ? isAnomalous
              ? 'found'
              : 'rightly normal'
            : isAnomalous
              ? 'missed'
              : 'false alarm';
      }
    };

    const showDots = () => {
      for (const dot of document.querySelectorAll<SVGCircleElement>('[data-dot]')) {
        const chart = dot.ownerSVGElement!;
        const set = Number(dot.closest<HTMLElement>('.curves')?.dataset['set']);
        const classes = chosenClasses().filter((one) => one.set === set);
        const { precision, recall, falseAlarmRate } = ratesOf(countsOf(classes, threshold));
        const [x, y] = dot.dataset['dot'] === 'roc' ? [falseAlarmRate, recall] : [recall, precision];
        const isThere = x !== undefined && y !== undefined;
        const at = (share: number, from: string, to: string) =>
          String(
            Number(chart.dataset[from]) + share * (Number(chart.dataset[to]) - Number(chart.dataset[from])),
          );
        dot.setAttribute('cx', isThere ? at(x, 'left', 'right') : '-20');
        dot.setAttribute('cy', isThere ? at(y, 'bottom', 'top') : '-20');
      }
    };

    const show = (from?: 'range' | 'field') => {
      if (from !== 'range') range.value = String(Math.round(shareOf(threshold) * scores.steps));
      if (from !== 'field') field.value = String(Number(threshold.toPrecision(6)));
      range.setAttribute('aria-valuetext', scoreText(threshold));
      showCounts();
      showMarks();
      showDots();
    };

    range.addEventListener('input', () => {
      threshold = scores.low + (Number(range.value) / scores.steps) * (scores.high - scores.low);
      show('range');
    });
    field.addEventListener('input', () => {
      if (field.value === '' || !Number.isFinite(Number(field.value))) return;
      threshold = Number(field.value);
      show('field');
    });
    group.addEventListener('change', () => show());
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-choose]')) {
      button.addEventListener('click', () => {
        const { choose, rate } = button.dataset;
        threshold =
          choose === 'f1'
            ? (chosen().bestF1 ?? threshold)
            : choose === 'far'
              ? forFalseAlarms(Number(rate))
              : (scores.stored ?? threshold);
        show();
      });
    }
    for (const chart of document.querySelectorAll<SVGSVGElement>('svg.histogram')) {
      const follow = (event: PointerEvent) => {
        if (event.buttons !== 1) return;
        const box = chart.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
        const left = Number(chart.dataset['left']);
        const share = (x - left) / (Number(chart.dataset['right']) - left);
        threshold = scores.low + Math.min(1, Math.max(0, share)) * (scores.high - scores.low);
        show();
      };
      chart.addEventListener('pointerdown', (event) => {
        chart.setPointerCapture(event.pointerId);
        follow(event);
      });
      chart.addEventListener('pointermove', follow);
    }
    show();
  }
}
