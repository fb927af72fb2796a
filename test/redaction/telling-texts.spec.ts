import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.js';
import { titled } from '../support/titled.js';

/** What must not be left of a text; letters only where a name alone tells that it is a credential. */
const WORD = 'canarybird';
const VALUE = 'c4nary';

const urls = [
  `redis://app:${VALUE}@host`,
  `redis://:${VALUE}@host`,
  `https://${VALUE}@github.com/x`,
  `mongodb+srv://o'brien:${VALUE}@cluster/x`,
  `postgres://my app:${VALUE}@db/x`,
  `postgres://app:it's${VALUE}@db/x`,
  `postgres://app:it"s${VALUE}@db/x`,
  `postgres://app:p@it's${VALUE}@db/x`,
  `"postgres://app:it"s${VALUE}@db/x"`,
  `amqp://app:correct ${VALUE}@mq`,
  `amqp://app:${VALUE} horse@mq`,
  `amqp://app:12345 ${VALUE}@mq`,
  `amqp://app:p@ss ${VALUE}@mq`,
  `amqp://app:correct horse battery ${VALUE}@mq refused`,
  `connect "amqp://app:correct horse ${VALUE}@mq" failed`,
  `redis://app:a/b${VALUE}@host`,
  `redis://app:a/b ${VALUE}@host`,
  `redis://app:a?b#${VALUE}@host`,
  `redis://app:<${VALUE}>@host`,
  `redis://app:a\`${VALUE}@host`,
  `redis://app:a://${VALUE}@host`,
  `redis://a:x@h1,redis://b:${VALUE}@h2`,
  JSON.stringify({ url: `postgres://app:it"s ${VALUE}@db/x` }),
  JSON.stringify(JSON.stringify({ url: `redis://app:${VALUE}@db/x` })),
  `redis:\\/\\/app:${VALUE}@host`,
  `/?to=${encodeURIComponent(`redis://app:${VALUE}@host`)}`,
  `app:${VALUE}@redis.internal:6379 refused`,
];

const names = [
  'pass',
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'pwd',
  'secret',
  'token',
  'dbPass',
  'DB_PASS',
  'PGPASSWORD',
  'clientSecret',
  'client_secret',
  'refresh_token',
  'id-token',
  'apiKey',
  'api-key',
  'X-Api-Key',
  'accessKey',
  'secretAccessKey',
  'AccountKey',
  'SharedAccessKey',
  'Ocp-Apim-Subscription-Key',
  'privateKey',
  'sig',
  'signature',
  'X-Amz-Signature',
  'X-Amz-Security-Token',
  'X-Amz-Credential',
  'X-Goog-Signature',
  'sessionId',
  'JSESSIONID',
  'connect.sid',
  '_auth',
  '_authToken',
  'credential',
  'requirepass',
];

const texts = [
  `AccountName=app;AccountKey=${VALUE}+/==;EndpointSuffix=x`,
  `Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=${VALUE}=`,
  `Server=db; Pwd = ${WORD}; x`,
  `Server=db;Password="a;${VALUE}";x`,
  `host=db password='it\\'s ${VALUE}' user=app`,
  `password=it's${VALUE} x`,
  `password=a,b${VALUE} x`,
  `jdbc:postgresql://db/x?user=u&password=${VALUE}`,
  `mysql --password ${VALUE} -h db`,
  `<SecretAccessKey>${WORD}</SecretAccessKey>`,
  `Authorization: Bearer ${VALUE}${VALUE}`,
  `Authorization: Custom ${VALUE}`,
  `Proxy-Authorization: Basic ${VALUE}==`,
  `authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=${VALUE}`,
  `Cookie: theme=dark; sid=${VALUE}`,
  `Set-Cookie: sid=${VALUE}; Path=/; HttpOnly`,
  `Set-Cookie: a=b; Path=/, sid=${VALUE}; Path=/`,
  `Cookie: ${VALUE}`,
  `rejected password '${WORD}' of app`,
  inspect({ headers: { cookie: [`sid=${WORD}`] } }),
  JSON.stringify({ headers: { Cookie: `a=b; c="${VALUE}"` } }),
  inspect(['Authorization', WORD, 'Cookie', `sid=${WORD}`]),
  inspect(new Map([['password', WORD]])),
  inspect({ password: `it's "${WORD}"` }),
  JSON.stringify({ password: `a"b\\c${WORD}` }),
  JSON.stringify(JSON.stringify({ password: `a"b${WORD}` })),
  JSON.stringify(JSON.stringify(JSON.stringify({ password: WORD }))),
  encodeURIComponent(JSON.stringify({ password: WORD })),
  `AUTH ${VALUE}`,
  `AUTH app ${VALUE}`,
  `"AUTH" "app" "${WORD}"`,
  `'AUTH ${WORD}'`,
  `HELLO 3 AUTH app ${WORD} SETNAME x`,
  `args: [ '3', 'AUTH', 'app', '${WORD}' ]`,
  JSON.stringify({ name: 'auth', args: ['app', WORD] }),
  JSON.stringify(JSON.stringify(['AUTH', WORD])),
  `*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$10\r\n${WORD}\r\n`,
  `ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'app' '${WORD}' `,
  `ERR unknown command \`AUTH\`, with args beginning with: \`${WORD}\`, `,
  `CONFIG SET requirepass ${WORD}`,
  `ACL SETUSER app on >${WORD} ~*`,
  `token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${VALUE}`,
  `?jwt%20eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${VALUE}`,
  `sent ghp_abcdefghijklmnopqrstu${VALUE}`,
  ...['PRIVATE KEY', 'RSA PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'PGP PRIVATE KEY BLOCK', 'CERTIFICATE'].flatMap(
    (kind) => {
      const pem = `-----BEGIN ${kind}-----\nDEK-Info: AES-256-CBC,01\n\nMIIEvQ${VALUE}\n-----END ${kind}-----`;
      return [
        pem,
        JSON.stringify({ pem }),
        JSON.stringify(JSON.stringify({ pem })),
        inspect({ pem }),
        encodeURIComponent(pem),
      ];
    },
  ),
  `-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B${VALUE}`,
];

describe('a credential that nobody has shown', () => {
  const redactor = new Redactor();

  it.each(urls)('is struck in a URL: %s', (text) => {
    for (const around of [text, `cannot reach ${text}`, `${text}\nmail ops@example.com`, JSON.stringify({ text })]) {
      expect(redactor.text(around)).not.toContain(VALUE);
    }
    expect(redactor.text(text)).toContain('***');
  });

  it.each(names)('is struck under a telling name: %s', (name) => {
    for (const text of [
      `{"a":1,"${name}":"${WORD}"}`,
      `{ '${name}': '${WORD}' }`,
      `${name}=${WORD}`,
      `x?a=b&${name}=${WORD}&c=d`,
      `${name}=${WORD};x`,
      `${name}: ${VALUE}`,
      `--${name} ${VALUE}`,
      `<${name}>${WORD}</${name}>`,
    ]) {
      expect(redactor.text(text), text).not.toMatch(new RegExp(`${WORD}|${VALUE}`));
    }
  });

  it.each(titled(texts.map((text) => [text] as const)))('is struck in %s', (_, text) => {
    for (const around of [text, `refused: ${text}`, `${text}\nagain`]) {
      expect(redactor.text(around)).not.toMatch(new RegExp(`${WORD}|${VALUE}`));
    }
  });

  it('leaves the rest of the text as it is', () => {
    expect(redactor.text('cannot reach amqp://app:correct horse7@mq/x, retrying in 5 s')).toBe(
      'cannot reach amqp://***@mq/x, retrying in 5 s',
    );
    expect(redactor.text('{"user":"app","password":"p4ss","attempt":2}')).toBe(
      '{"user":"app","password":"***","attempt":2}',
    );
    expect(redactor.text('GET /x?sv=1&sig=ab%2Bcd%3D&se=2')).toBe('GET /x?sv=1&sig=***&se=2');
    expect(redactor.text('Cookie: a=b; c=d\nHost: h')).toBe('Cookie: ***\nHost: h');
  });

  it('is struck once: a clean text stays as it is', () => {
    for (const text of [...urls, ...texts].map((told) => redactor.text(told))) expect(redactor.text(text)).toBe(text);
  });
});

describe('prose', () => {
  it.each([
    'token: expired',
    'InvalidToken: The provided token is malformed',
    'password: expected string, received undefined',
    'password authentication failed for user "app"; Basic authentication',
    'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the connection and select the RESP protocol version at the same time',
    'AUTH failed: WRONGPASS invalid username-password pair or user is disabled.',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    'Could not load credentials from any providers',
    'error:0909006C:PEM routines:get_name:no start line: Expecting: -----BEGIN PRIVATE KEY-----',
    'cannot reach http://proxy:8080 from /app/node_modules/@scope/pkg',
    'read redis://cache:6379, then mail ops@example.com',
    "connecting to 'redis://cache:main' as 'ops@example.com'",
    'see https://example.com:8443/a for help',
    'cannot reach http://[::1]:8080 for ops@example.com',
    'see <http://cache:main>, or mail ops@example.com',
    '{"url":"redis://cache:main","mail":"ops@example.com"}',
    '    at Object.<anonymous> (/app/node_modules/.pnpm/@nestjs+core@12.5.1/node_modules/@nestjs/core/x.js:10:5)',
    '    at C:\\app\\new\\test\\index.js:3:1',
    'git@github.com:org/repo.git, npm:left-pad@1.3.0, mailto:ops@example.com',
    'bypass: true2, compass=north, 3 tests passed: 2, sessionId is required, Cookie: missing',
    '100% of 5% at 12:30:11, 50%25',
  ])('stays readable: %s', (text) => {
    expect(new Redactor().text(text)).toBe(text);
  });
});
