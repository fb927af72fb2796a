import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.js';

/** A secret in every form in which a driver, a server or a log may say it. */
const FORMS: Record<string, (secret: string) => string> = {
  raw: (secret) => secret,
  trimmed: (secret) => secret.trim(),
  'encoded for a URL': encodeURIComponent,
  'encoded for a URL in lower case': (secret) =>
    encodeURIComponent(secret).replace(/%../g, (escape) => escape.toLowerCase()),
  'encoded for a URL twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'encoded by encodeURI()': encodeURI,
  'encoded by new URL()': (secret) => Object.assign(new URL('redis://host'), { password: secret }).password,
  'encoded for a form': (secret) => new URLSearchParams({ a: secret }).toString().slice('a='.length),
  'with each byte escaped': (secret) => Buffer.from(secret).toString('hex').replace(/../g, '%$&'),
  'in JSON': (secret) => JSON.stringify(secret),
  'in JSON in JSON': (secret) => JSON.stringify(JSON.stringify(secret)),
  'in JSON in JSON in JSON': (secret) => JSON.stringify(JSON.stringify(JSON.stringify(secret))),
  'in JSON in a query': (secret) => encodeURIComponent(JSON.stringify(secret)),
  'in JSON with code units': (secret) =>
    [...Array(secret.length).keys()].map((at) => `\\u${secret.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  'as inspect() prints it': (secret) => inspect(secret, { breakLength: Infinity }),
  'in base64': (secret) => Buffer.from(secret).toString('base64'),
  'in base64url': (secret) => Buffer.from(secret).toString('base64url'),
  'in base64 with its user': (secret) => Buffer.from(`app:${secret}`).toString('base64'),
  'in base64url with its user': (secret) => Buffer.from(`app:${secret}`).toString('base64url'),
  'in base64 without a user': (secret) => Buffer.from(`:${secret}`).toString('base64'),
  'in base64 in a query': (secret) => encodeURIComponent(Buffer.from(`app:${secret}`).toString('base64')),
  'in base64 of JSON': (secret) => Buffer.from(JSON.stringify({ a: 1, secret })).toString('base64'),
};
const SECRETS = [
  'tweety-s3cr3t',
  'tw@ety/s3cr3t!',
  'tw%40ety%2Fs3cr3t',
  '100%off-today',
  'ends-with-%',
  'a+b c&d=e-long',
  'quo"te\'s`x-long',
  'back\\slash\\new',
  'first line\nsecond\tline',
  '  padded-with-spaces ',
  'Pässwörd-€-😀',
  'correct horse battery',
  'hunterhunter',
  'short5!',
  'dev',
  'long-'.repeat(800),
];
const AROUND: [string, string][] = [
  ['', ''],
  ['rejected ', ' by the server'],
  ['("', '")'],
  ['[', ', again]'],
];

/** Whether a text still says what stands for the secret, apart from the quotes and the padding around it. */
function says(text: string, form: string): boolean {
  return text.includes(form.replace(/^["'`\\\s]+|["'`\\\s=]+$/g, ''));
}

describe('a secret that was shown', () => {
  it.each(Object.entries(FORMS))('is struck $0', (form, spell) => {
    for (const secret of SECRETS) {
      // In the middle of other base64 a short one cannot be told from words.
      if (form === 'in base64 of JSON' && secret.length < 6) continue;
      const redactor = new Redactor();
      redactor.keep({ username: 'app', password: secret });
      for (const [before, after] of AROUND) {
        const text = before + spell(secret) + after;
        const clean = redactor.text(text);
        expect(says(clean, spell(secret)), `${text.slice(0, 200)} became ${clean.slice(0, 200)}`).toBe(false);
        expect(clean).toContain('***');
      }
    }
  });

  it('is struck in whatever form, whatever it is', () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 40, unit: 'grapheme' })
      .filter((text) => text.trim().length >= 8 && !/\p{Surrogate}/u.test(text) && /[^\\"'`\s=*]{6}/.test(text));
    fc.assert(
      fc.property(secret, fc.constantFrom(...Object.keys(FORMS)), fc.constantFrom(...AROUND), (text, form, around) => {
        const redactor = new Redactor();
        redactor.keep({ password: text });
        const spelled = FORMS[form]?.(text) ?? '';
        expect(says(redactor.text(around.join(spelled)), spelled)).toBe(false);
      }),
      { numRuns: 3_000, seed: 11 },
    );
  });

  it.each<[string, unknown, string]>([
    [
      'an account key in a connection string',
      { connectionString: 'AccountName=a;AccountKey=kEy/+1==;X=y' },
      'kEy/+1==',
    ],
    ['JSON in a text', { config: '{"user":"app","password":"p-1-p-1"}' }, 'p-1-p-1'],
    ['a URL beside a long text', { ca: 'a: b '.repeat(9_000), z: { url: 'redis://:u-1-u-1@h' } }, 'u-1-u-1'],
    ['a cookie', { headers: { Cookie: 'sid=s-1-s-1' } }, 'sid=s-1-s-1'],
    ['a header of its own', { headers: { 'X-Api-Key': 'h-1-h-1' } }, 'h-1-h-1'],
    ['raw headers', { headers: ['Authorization', 'Custom c-1-c-1'] }, 'Custom c-1-c-1'],
    ['a URL with a space in its password', { url: 'amqp://app:p@ss w-1 w-2 x@mq' }, 'p@ss w-1 w-2 x'],
    [
      'a class of its own',
      {
        provider: new (class Provider {
          secretKey = 'k-1-k-1-k';
        })(),
      },
      'k-1-k-1-k',
    ],
    ['a bigint', { password: 12_345_678_901n }, '12345678901'],
    [
      'the last of many nodes',
      { nodes: Array.from({ length: 900 }, (_, i) => ({ password: `node-${i}-pw` })) },
      'node-899-pw',
    ],
  ])('is found in %s', (_, options, secret) => {
    const redactor = new Redactor();
    redactor.keep(options);
    expect(redactor.text(`rejected ${secret} twice`)).toBe('rejected *** twice');
  });

  it('is known by the name that it is injected under', () => {
    const redactor = new Redactor();
    redactor.keepData(['s3cr3t-1', 'plain-value', 's3cr3t-2'], ['DB_PASSWORD', 'TABLE_NAME', Symbol('token')]);
    expect(redactor.text('s3cr3t-1 plain-value s3cr3t-2')).toBe('*** plain-value s3cr3t-2');
  });

  it('is recognised in injected texts: URLs, connection strings, JSON', () => {
    const redactor = new Redactor();
    redactor.keepData([
      'postgres://app:pg-s3cret@db',
      { dsn: 'host=db password=dsn-s3cret', json: '{"token":"json-s3cret"}' },
    ]);
    expect(redactor.text('pg-s3cret, dsn-s3cret, json-s3cret')).toBe('***, ***, ***');
  });

  it('is not forgotten when another is renewed again and again', () => {
    const redactor = new Redactor();
    redactor.keep({ tls: { passphrase: 'declared-s3cret' } });
    for (let renewal = 0; renewal < 3_000; renewal += 1) redactor.keep({ password: `renewed-${renewal}-s3cret` });
    expect(redactor.text('declared-s3cret renewed-2999-s3cret')).toBe('*** ***');
  });

  it('is found among a thousand that begin alike', () => {
    const redactor = new Redactor();
    const keys = Array.from({ length: 1_000 }, (_, index) => `sk_live_${index}_${(index * 7_919) % 1_000}`);
    redactor.keep({ nodes: keys.map((password) => ({ password })) });
    for (const key of keys) expect(redactor.text(`with ${key} again`)).toBe('with *** again');
  });
});

describe('a short or ordinary secret', () => {
  const frames = (name: string) => [
    `    at connect (/home/${name}/service.js:10:5)`,
    `    at /srv/${name}service/${name}.js:1:2`,
    `    at Object.<anonymous> (C:\\Users\\${name}\\app\\${name}.js:1:2)`,
    `    at file:///home/${name}/x.mjs:1:2`,
    `    at ${name}:internal/process/task_queues:95:5`,
    `    at async /app/node_modules/@${name}/${name}-core/dist/index.js:3:4`,
  ];
  const secrets = ['dev', 'local', 'node', 'app', 'file', 'src', 'test', 'root', 'redis', 'postgres', 's3cret', 'p4ss'];

  it.each(secrets)('leaves the paths of a stack readable: %s', (secret) => {
    const redactor = new Redactor();
    redactor.keep({ password: secret });
    const error = Object.assign(new Error('x'), { stack: ['Error: x', ...frames(secret)].join('\n') });
    expect(redactor.error(error)).toBe(error);
  });

  it.each(secrets)('leaves words and hosts readable that contain it: %s', (secret) => {
    const redactor = new Redactor();
    redactor.keep({ password: secret });
    const text = `connect ECONNREFUSED ${secret}host, ${secret}-1.internal, my${secret}, ${secret}.internal, ${secret}_x`;
    expect(redactor.text(text)).toBe(text);
  });

  it.each(secrets)('is struck where it stands alone: %s', (secret) => {
    const redactor = new Redactor();
    redactor.keep({ password: secret });
    const json = JSON.stringify({ sent: [secret, JSON.stringify({ a: secret })] });
    expect(redactor.text(`rejected ${secret}, "${secret}" (${secret}) a=${secret}&b ${secret}. ${json}`)).not.toMatch(
      new RegExp(String.raw`\b${secret}\b`),
    );
  });

  it.each(secrets)('is struck too if it is an injected password: %s', (secret) => {
    const redactor = new Redactor();
    redactor.keepData([{ db: { password: secret } }]);
    expect(redactor.text(`rejected "${secret}" at ${secret}host`)).toBe(`rejected "***" at ${secret}host`);
    const ofToken = new Redactor();
    ofToken.keepData([secret], ['DB_PASSWORD']);
    expect(ofToken.text(`rejected ${secret}.`)).toBe('rejected ***.');
  });
});

it('strikes an injected password that is a number', () => {
  const redactor = new Redactor();
  redactor.keepData([{ password: 4_711_042, port: 5_432_001 }]);
  expect(redactor.text('4711042 is wrong at port 5432001')).toBe('*** is wrong at port 5432001');
});

describe('what is not a secret', () => {
  it('stays in injected settings', () => {
    const redactor = new Redactor();
    const auth = { strategy: 'local', port: 6379, enabled: 'true', ttl: 5_000 };
    redactor.keepData([{ auth, author: 'redis', accessTokenTtl: 3600, passwordMinLength: 127, token: 'local' }]);
    const text = 'connect ECONNREFUSED localhost:6379; redis.internal, 127.0.0.1, true, within 5000 ms';
    expect(redactor.text(text)).toBe(text);
  });

  it('stays readable if it is a short or common user name', () => {
    const redactor = new Redactor();
    redactor.keep({ username: 'default', url: 'redis://app:long-enough@host/?authSource=admin' });
    expect(redactor.text('the application has no default admin')).toBe('the application has no default admin');
  });
});
