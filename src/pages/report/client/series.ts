// Shows, hides and points out lines of the charts of one data set.
for (const set of document.querySelectorAll<HTMLElement>('.curves')) {
  const boxes = [...set.querySelectorAll<HTMLInputElement>('input[data-look]')];
  const linesOf = (look: string) => set.querySelectorAll<SVGElement>(`.line[data-look="${look}"]`);
  const show = (box: HTMLInputElement) => {
    for (const line of linesOf(box.dataset['look']!)) line.classList.toggle('off', !box.checked);
  };
  const point = (look: string | undefined) => {
    set.classList.toggle('pointing', look !== undefined);
    for (const line of set.querySelectorAll('.line'))
      line.classList.toggle('pointed', line.getAttribute('data-look') === look);
  };
  for (const box of boxes) {
    show(box);
    box.addEventListener('change', () => show(box));
    const label = box.closest('label')!;
    for (const event of ['pointerenter', 'focusin'])
      label.addEventListener(event, () => point(box.dataset['look']));
    for (const event of ['pointerleave', 'focusout']) label.addEventListener(event, () => point(undefined));
  }
  for (const button of set.querySelectorAll<HTMLButtonElement>('button[data-show]')) {
    button.addEventListener('click', () => {
      for (const box of boxes) {
        box.checked = button.dataset['show'] === 'all' || box.dataset['isClass'] === undefined;
        show(box);
      }
    });
  }
}
