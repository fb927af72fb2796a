import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { describeError, Redactor } from '../../src/redaction/redactor.js';
import { revoked } from '../support/hostile-errors.js';

const SECRET = 's3cret-of-the-client';

function redactorOfSecret(): Redactor {
  const redactor = new Redactor();
  redactor.keep({ username: 'app', password: SECRET });
  return redactor;
}

/** All that somebody may come to see of an error. */
function seen(error: Error): string {
  const causes = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(cause);
  return causes
    .flatMap((cause) => [
      inspect(cause, { depth: 20, showHidden: true }),
      JSON.stringify(cause),
      String(cause),
      cause.stack,
      describeError(cause),
    ])
    .join('\n');
}

/** Milliseconds that `action` takes, the best of some, as what else the machine does makes it only longer. */
function timeOf(action: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    action();
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}

describe('an error that holds a secret', () => {
  const places: [string, (secret: string) => unknown][] = [
    ['its message', (secret) => new Error(`rejected ${secret}`)],
    ['its name', (secret) => Object.assign(new Error('x'), { name: secret })],
    ['its code', (secret) => Object.assign(new Error('x'), { code: secret })],
    ['its stack', (secret) => Object.assign(new Error('x'), { stack: `Error: x\n    at ${secret}` })],
    ['a property', (secret) => Object.assign(new Error('x'), { sent: secret })],
    ['a property by its name', (secret) => Object.assign(new Error('x'), { [secret]: 1 })],
    ['a property that is hidden', (secret) => Object.defineProperty(new Error('x'), 'sent', { value: secret })],
    ['a deep property', (secret) => Object.assign(new Error('x'), { a: [{ b: new Map([['c', new Set([secret])]]) }] })],
    ['a key of a Map', (secret) => Object.assign(new Error('x'), { a: new Map([[{ secret }, 1]]) })],
    ['a property of an array', (secret) => Object.assign(new Error('x'), { a: Object.assign([1], { sent: secret }) })],
    ['a symbol', (secret) => Object.assign(new Error('x'), { state: Symbol(secret) })],
    ['a Buffer', (secret) => Object.assign(new Error('x'), { sent: Buffer.from(secret) })],
    [
      'a class of its own',
      (secret) =>
        Object.assign(new Error('x'), {
          sent: new (class Sent {
            x = secret;
          })(),
        }),
    ],
    ['a cause', (secret) => new Error('x', { cause: new Error('y', { cause: { secret } }) })],
    ['a chain of causes', (secret) => chain(100, new Error(`rejected ${secret}`))],
    ['aggregated errors', (secret) => new AggregateError([new Error('x', { cause: new Error(secret) })], 'x')],
    ['aggregated errors and no message', (secret) => new AggregateError([new Error(secret), secret])],
    ['errors of aggregated errors', (secret) => new AggregateError([new AggregateError([new Error(secret)])], 'x')],
    [
      'a suppressed error',
      (secret) => Object.assign(new Error('x'), { error: new Error('y'), suppressed: new Error(secret) }),
    ],
    ['a list of arguments', (secret) => Object.assign(new Error('x'), { args: ['AUTH', secret] })],
    ['what is thrown', (secret) => secret],
    ['what is thrown and no Error', (secret) => ({ message: `rejected ${secret}`, code: secret })],
    ['what is thrown in another realm', (secret) => runInNewContext(`new Error('rejected ${secret}')`) as unknown],
  ];
  const spellings: [string, string][] = [
    ['as it is', SECRET],
    ['in base64', Buffer.from(`app:${SECRET}`).toString('base64')],
  ];

  it.each(places)('does not reveal it through %s', (_, make) => {
    for (const [how, spelled] of spellings) {
      const text = seen(redactorOfSecret().error(make(spelled)));
      expect(text, how).not.toContain(spelled);
    }
  });
});

function chain(length: number, cause: Error): Error {
  return length === 0 ? cause : new Error('x', { cause: chain(length - 1, cause) });
}

it.each<[string, object]>([
  ['a list', { password: ['a-word'] }],
  ['an object', { auth: { values: { first: 'a-word' } } }],
  ['a Map', { tokens: new Map([[1, 'a-word']]) }],
  ['a number', { apiKey: 8_012_345_678 }],
  ['a pair of headers', { raw: ['Accept', 'text', 'X-Api-Key', 'a-word'] }],
])('an error does not reveal what stands under a telling name in %s', (_, held) => {
  expect(seen(new Redactor().error(Object.assign(new Error('x'), held)))).not.toMatch(/a-word|8012345678/);
});

describe('an error that cannot be read', () => {
  const refuse = () => {
    throw new Error('refused');
  };

  it.each<[string, () => unknown]>([
    ['a getter of its message that throws', () => Object.defineProperty(new Error('x'), 'message', { get: refuse })],
    [
      'a proxy that refuses everything',
      () => new Proxy(new Error('x'), { get: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
    ],
    ['a revoked proxy', () => revoked()],
    [
      'a name that cannot be a text',
      () => Object.assign(new Error('x'), { name: Object.create(null) as string, password: 'x' }),
    ],
  ])('is replaced by an error that says so: %s', (_, make) => {
    expect(new Redactor().error(make())).toMatchObject({ message: 'something was thrown that cannot be read' });
  });
});

describe('a very large error', () => {
  const numbers = Array.from({ length: 1_000_000 }, (_, index) => index);
  const items = Array.from({ length: 4_000 }, (_, id) => ({ id, name: `item ${id}` }));
  const huge: [string, Error][] = [
    ['a million numbers', Object.assign(new Error('x'), { numbers })],
    ['thousands of items', Object.assign(new Error('x'), { items })],
    ['thousands of items, deep', Object.assign(new Error('x'), { a: { b: { items } } })],
    ['a Set of a million', Object.assign(new Error('x'), { numbers: new Set(numbers) })],
    [
      'a Map of a million',
      Object.assign(new Error('x'), { numbers: new Map(numbers.map((number) => [number, number])) }),
    ],
    ['a typed array', Object.assign(new Error('x'), { numbers: new Float64Array(1_000_000) })],
    [
      'an object of many properties',
      Object.assign(new Error('x'), { a: Object.fromEntries(numbers.slice(0, 300_000).entries()) }),
    ],
    ['an object that is nested deep', Object.assign(new Error('x'), { deep: nested(10_000) })],
    ['a message of a megabyte', new Error('a '.repeat(500_000))],
    [
      'texts of a megabyte',
      Object.assign(new Error('x'), { lines: Array.from({ length: 400 }, (_, at) => `${at} `.repeat(800)) }),
    ],
    [
      'a hundred thousand errors',
      new AggregateError(numbers.slice(0, 100_000).map((number) => new Error(`e${number}`))),
    ],
    ['a long chain of causes', chain(5_000, new Error('first'))],
  ];

  it.each(huge)('is copied, in hardly any time however often it is reported: %s', (_, error) => {
    const redactor = redactorOfSecret();
    const copy = redactor.error(error);
    expect(copy).not.toBe(error);
    expect(JSON.stringify(copy).length).toBeLessThan(100);
    expect(timeOf(() => redactor.error(error))).toBeLessThan(10);
  });

  it.each(huge.slice(0, 4))('is copied in as little time when each error is a new one: %s', (_, error) => {
    const redactor = redactorOfSecret();
    expect(timeOf(() => redactor.error(Object.assign(new Error('y'), error)))).toBeLessThan(10);
  });

  it('is described by its first ten errors and the number of the others', () => {
    const errors = Array.from({ length: 1_000 }, (_, index) => new Error(`error ${index}`));
    expect(describeError(new AggregateError(errors))).toMatch(/^error 0; .*; error 9; and 990 more$/);
  });

  it('is searched for secrets in little time when it is injected, or given as options', () => {
    for (const value of [
      { numbers },
      { items },
      { html: '?'.repeat(100_000) },
      { html: '?a='.repeat(100_000) },
      'a: '.repeat(300_000),
    ]) {
      expect(timeOf(() => new Redactor().keepData([value]))).toBeLessThan(100);
      expect(timeOf(() => new Redactor().keep(value))).toBeLessThan(100);
    }
  });
});

function nested(depth: number): object {
  let object = {};
  for (let level = 0; level < depth; level += 1) object = { object };
  return object;
}

it('an error without a secret stays itself, however often it is reported', () => {
  const redactor = redactorOfSecret();
  const error = new AggregateError(
    [new Error('connect ECONNREFUSED ::1:6379'), new Error('connect ECONNREFUSED 127.0.0.1:6379')],
    'all failed',
    { cause: Object.assign(new Error('x'), { address: { host: 'localhost', ports: [6379, 6380] }, at: new Date(0) }) },
  );
  for (let time = 0; time < 3; time += 1) expect(redactor.error(error)).toBe(error);
});
