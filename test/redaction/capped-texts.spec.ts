import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.js';

const SECRET = Array.from({ length: 60 }, (_, index) => `k${index.toString(36)}Z`).join('-');
/** Words of the secret: none may be left, though the secret is cut. */
const WORDS = SECRET.split('-').map((word) => new RegExp(`\\b${word}\\b`));
const PEM = `-----BEGIN PRIVATE KEY-----\n${`${SECRET.replaceAll('-', '/')}\n`.repeat(6)}-----END PRIVATE KEY-----`;

describe('a long text', () => {
  it('of 8,192 characters is not capped', () => {
    const text = 'word '.repeat(2_000).slice(0, 8_192);
    expect(new Redactor().text(text)).toBe(text);
  });

  it('keeps its beginning and its end, and says how much was left out', () => {
    const clean = new Redactor().text(`begins ${'word '.repeat(200_000)} ends`);
    expect(clean).toMatch(/^begins word word .*… 992012 characters left out ….* word {2}ends$/s);
    expect(clean.length).toBeLessThan(8_192);
    expect(new Redactor().text(clean)).toBe(clean);
  });

  it.each([
    ['that was shown', SECRET],
    ['that was shown, encoded', encodeURIComponent(`"${SECRET}"`)],
    ['that was shown, in JSON', JSON.stringify([SECRET])],
    ['in a URL', `redis://app:${SECRET}@host`],
    ['under a name', `{"password":"${SECRET}"}`],
    ['in a query', `?a=b&token=${SECRET}&c=d`],
    ['in a header', `Authorization: Bearer ${SECRET}`],
    ['in PEM', PEM],
    ['in PEM in JSON', JSON.stringify({ PEM })],
  ])('does not show a part of a secret %s', (how, told) => {
    const redactor = new Redactor();
    if (how.startsWith('that was shown')) redactor.keep({ password: SECRET });
    // The secret at every place around the two cuts, and where the part ends that is searched beyond them.
    for (const center of [4_000, 8_096]) {
      for (let offset = -told.length - 20; offset <= 20; offset += 7) {
        const filler = 'word '.repeat(5_000);
        const head = filler.slice(0, center + offset);
        for (const text of [`${head} ${told} ${filler}`, `${filler} ${told} ${head}`]) {
          const clean = redactor.text(text);
          expect(WORDS.filter((word) => word.test(clean))).toEqual([]);
        }
      }
    }
  });

  it('does not show a part of a secret that is longer than all that is shown', () => {
    const words = Array.from({ length: 4_000 }, (_, index) => `k${index}Z`);
    const secret = words.join('-');
    const redactor = new Redactor();
    redactor.keep({ tls: { key: secret } });
    for (const text of [`with ${secret} ${'word '.repeat(9_000)}`, `${'word '.repeat(9_000)} with ${secret} end`]) {
      const clean = redactor.text(text);
      expect(words.filter((word) => clean.includes(word))).toEqual([]);
    }
  });
});
