import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.js';
import { SecretIndex } from '../../src/redaction/secret-index.js';
import { findTelling } from '../../src/redaction/telling-patterns.js';
import { unescapeText } from '../../src/redaction/unescaped-text.js';

/** What patterns begin with, go on with or end at. Of each, every beginning is repeated too. */
const FRAGMENTS = [
  '://', 'redis://app:', 'redis://app:pw@', "a://b:c' ", '@', 'app:pw@host',
  'password=', '"password":"', "'password' => '", 'password: ', '<password>', 'password>', '--password ', 'token: a', 'sig=',
  'Authorization: Bearer ', 'authorization: custom ', 'bearer ', 'Cookie: a=b; ', 'set-cookie: a',
  'AUTH app ', "'AUTH', 'app', ", 'HELLO 3 AUTH ', 'AUTH\r\n$3\r\n', 'ACL SETUSER app >', 'requirepass ',
  'unknown command `AUTH`, with args beginning with: ', '"auth","args":[',
  '-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', '-----', 'eyJhbGciOi.', 'eyJhbGciOi', 'ghp_', 'sk_live_',
  '"', "'", '`', '\\"', '\\\\', '\\n', '\\u0041', '%', '%25', '%41', '%C3%A9', '%E0%80', '?a=', '&', '+', ';', ', ', '}',
  ' ', '\n', '\t', '\0', '-', '.', '=', '/', '<', '>', 'a', 'Ab1_', 'é', '😀', 's3cret', 'czNjcmV0',
]; // prettier-ignore
const SHAPES = [...new Set(FRAGMENTS.flatMap((text) => Array.from(text, (_, end) => text.slice(0, end + 1))))];

/** A hundred would say that time grows with the square of the text. */
const MOST_GROWTH = 40;
/** Milliseconds below which a time says more about the machine than about the text. */
const FLOOR = 1;

function redactorOfMany(): Redactor {
  const redactor = new Redactor();
  const passwords = Array.from({ length: 300 }, (_, index) => ({ password: `s3cret-${index}` }));
  redactor.keep([
    ...passwords,
    { password: 'a'.repeat(20) },
    { password: 'dev' },
    { password: `${'Ab1_'.repeat(9)}!` },
  ]);
  return redactor;
}

function millisecondsOf(action: () => void): number {
  const startedAt = performance.now();
  action();
  return performance.now() - startedAt;
}

/** How many times longer the long text takes. What is measured again and again is not what else the machine does. */
function growth(use: (text: string) => void, short: string, long: string): number {
  let least = Infinity;
  for (let time = 0; time < 4 && least >= MOST_GROWTH; time += 1) {
    const ofShort = Math.max(
      FLOOR,
      millisecondsOf(() => use(short)),
      millisecondsOf(() => use(short)),
    );
    least = Math.min(least, millisecondsOf(() => use(long)) / ofShort);
  }
  return least;
}

function expectLinear(use: (text: string) => void, unit: string, length: number): void {
  const long = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  expect(growth(use, long.slice(0, length / 10), long), JSON.stringify(unit)).toBeLessThan(MOST_GROWTH);
}

const index = new SecretIndex();
for (const secret of ['s3cret', 'aaaaaaaa', `${'a'.repeat(40)}!`]) index.add(secret, 'anywhere');
index.add('dev', 'word');
for (const form of ['czNjcmV0', 'aaaaaa']) index.add(form, 'base64');

describe.each<[string, (text: string) => void, number]>([
  [
    'text()',
    (
      (redactor) => (text: string) =>
        redactor.text(text)
    )(redactorOfMany()),
    1_000_000,
  ],
  ['looking for what tells', findTelling, 100_000],
  ['undoing escapes', unescapeText, 100_000],
  ['looking for what is known', (text) => index.find(text), 100_000],
])('%s', (_, use, length) => {
  it('takes time in proportion to a text of one shape', () => {
    for (const shape of SHAPES) expectLinear(use, shape, length);
  }, 120_000);

  it('takes time in proportion to a text of mixed shapes', () => {
    const unit = fc
      .array(fc.tuple(fc.constantFrom(...SHAPES), fc.constantFrom(1, 1, 2, 50)), { minLength: 2, maxLength: 5 })
      .map((parts) => parts.map(([shape, times]) => shape.repeat(times)).join(''));
    fc.assert(
      fc.property(unit, (text) => expectLinear(use, text, length)),
      { numRuns: 60, seed: 11, endOnFailure: true },
    );
  }, 120_000);

  it('takes time in proportion to a text that begins with one shape and goes on with another', () => {
    const shapes = fc.constantFrom(...SHAPES);
    fc.assert(
      fc.property(shapes, shapes, (first, rest) => {
        const long = first + rest.repeat(Math.ceil(length / rest.length)).slice(0, length);
        expect(growth(use, long.slice(0, length / 10), long), JSON.stringify([first, rest])).toBeLessThan(MOST_GROWTH);
      }),
      { numRuns: 60, seed: 12, endOnFailure: true },
    );
  }, 120_000);
});

describe('a megabyte', () => {
  it.each([
    ['of beginnings of URLs', `${'://'.repeat(340_000)} @`],
    ['of words', 'word '.repeat(200_000)],
    ['of one letter', 'a'.repeat(1_000_000)],
    ['of runs that end where the search does', `${'a'.repeat(8_000)} `.repeat(125)],
    ['of escapes', '%41'.repeat(333_333)],
    ['of backslashes', '\\'.repeat(1_000_000)],
  ])('%s takes a few milliseconds', (_, text) => {
    const redactor = redactorOfMany();
    redactor.text('the secrets are filed');
    // What it takes is a fiftieth of this, on a machine of its own.
    expect(Math.min(...Array.from({ length: 3 }, () => millisecondsOf(() => redactor.text(text))))).toBeLessThan(100);
  });
});
