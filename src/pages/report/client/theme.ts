// The page's button for light, dark or as the system says. A script of the page: no imports, nothing is remembered.
{
  const button = document.querySelector<HTMLButtonElement>('#theme');
  const themes = ['auto', 'light', 'dark'] as const;
  let at = 0;
  button?.addEventListener('click', () => {
    at = (at + 1) % themes.length;
    const theme = themes[at]!;
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    button.textContent = `Theme: ${theme}`;
  });
  document.documentElement.classList.add('has-script');
}
