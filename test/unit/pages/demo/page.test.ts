import { describe, expect, it } from 'vitest';
import { pageOf } from '../../../../src/pages/demo/page.js';
import { escapeHtml } from '../../../../src/pages/html.js';

describe("the demo's page", () => {
  const bytes = Buffer.from('x');
  const page = (name: string) =>
    [
      ...pageOf({
        title: '<T>',
        notes: ['a & b'],
        model: 'm"',
        mapThreshold: 0.5,
        legend: bytes,
        pictures: [
          {
            name,
            width: 4,
            height: 3,
            score: 0.5,
            anomalous: true,
            regions: 2,
            original: bytes,
            overlay: bytes,
          },
        ],
      }),
    ].join('');

  it('escapes every text', () => {
    const html = page('<script>alert("1")</script>\' onload=x');
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onload=x');
    expect(html).toContain('<title>&lt;T&gt;</title>');
    expect(escapeHtml('&<>"\'')).toBe('&amp;&lt;&gt;&quot;&#39;');
  });

  it('loads nothing and works in light, dark and print', () => {
    const html = page('a');
    expect(html).toContain("default-src 'none'");
    for (const media of ['light-dark(#', '@media print', 'focus-visible', 'lang="en"'])
      expect(html).toContain(media);
  });
});
