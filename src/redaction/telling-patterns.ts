import type { Passage } from './passage.js';
import { findUrlCredentials } from './url-credentials.js';

/** Names of credentials in texts. */
const NAME = `(?:${[
  '(?<!by|com|sur|tres|over|en)pass(?:word|wd|phrase|code|key)?',
  'pwd',
  'secret',
  'token',
  'authorization',
  '(?<![a-z])_auth',
  'credentials?',
  'signature',
  '(?<![a-z])sig',
  '(?:api|access|account|client|encryption|functions|host|master|private|secret|shared|signing|storage|subscription)[-_ ]?key(?:[-_]?id)?',
  '(?:set-)?cookie',
  '(?:j|php)?sess(?:ion)?[-_]?id',
  'connect\\.sid',
  'requirepass|masterauth',
].join('|')})(?:[-_]?(?:value|string|text|data)|\\d)?`;
/** Up to the closing quote. A quote that is followed by more of a word is part of the value. */
const QUOTED = ['"', "'", '`']
  .map((quote) => String.raw`(?<=${quote})(?:[^${quote}\\\n]|\\[^\n]|${quote}(?!\s|[,;:)}\]>&]|\.\s|$))+`)
  .join('|');
/** A value without quotes, up to a character that ends it, unless the value clearly continues behind that. */
const BARE = String.raw`(?:[^\s&"'\`\\;,)}\]]|'(?=\w)|[,)}\]](?=[\w!#$%^*])(?![\w.-]{1,40}[=:]))+`;
/** A credential rather than a word of prose, such as in "token: expired". */
const NO_WORD = String.raw`(?=[a-z.]{0,40}[\d_+/=$!#%^*~-]|[a-z]{12})`;
const SCHEME = '(?:bearer|basic|digest|token|apikey|negotiate)';
/** An argument of a Redis command. */
const QUOTED_ARGUMENT = String.raw`(?:"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|\`[^\`\n]*\`)`;

const COOKIE = String.raw`(?:[^\s;,"']|,(?! ))*`;
const COOKIE_NAME = String.raw`[^\s=;,"']{1,256}`;

/** Matches a prefix, which is kept, and the credential behind it, which is struck. */
function pattern(before: string, credential: string): RegExp {
  return new RegExp(`(${before})(?:${credential})`, 'gi');
}

interface Telling {
  /** A cheap first test: if it does not match, none of the patterns can. */
  readonly sign: RegExp;
  readonly patterns: readonly RegExp[];
}

/**
 * Patterns that find credentials that the redactor was never shown.
 *
 * Each pattern takes time linear in the text: every repetition is bounded, or stops where the next match could begin.
 */
const makeTelling = (): readonly Telling[] => [
  {
    sign: new RegExp(NAME, 'i'),
    patterns: [
      // JSON, what `inspect` prints, and lists of headers: "password": "…", 'password' => '…', 'Authorization', '…'
      pattern(String.raw`${NAME}(?:["'\`]\s{0,4},|["'\`]?\s{0,4}(?:=>|[=:]))\s{0,4}\[?\s{0,4}["'\`]`, QUOTED),
      // A query, a connection string, the environment: password=…
      pattern(String.raw`${NAME}["'\`]?\s{0,4}=(?!>)\s{0,4}`, BARE),
      // A header or a line of YAML, but not prose such as "token: expired".
      pattern(String.raw`(?<![a-z])${NAME}["']?\s{0,4}:\s{0,4}(?:${SCHEME} +)?`, NO_WORD + BARE),
      // The name may be the end of a longer one: clientSecret: …
      pattern(String.raw`(?<=[a-z]|[-_])${NAME}["']?\s{0,4}:\s{0,4}`, NO_WORD + BARE),
      // A header with a scheme of its own.
      pattern(String.raw`authorization["']?\s{0,4}[:=]\s{0,4}[a-z][\w-]{0,30} +`, NO_WORD + BARE),
      // All cookies of a header, or of several that were joined with commas.
      pattern(
        String.raw`cookie\s{0,4}:\s{0,4}`,
        String.raw`${COOKIE_NAME}=${COOKIE}(?:; {0,4}${COOKIE_NAME}(?:=${COOKIE})?|, {0,4}${COOKIE_NAME}=${COOKIE})*`,
      ),
      // In a sentence: password "…"
      pattern(String.raw`pass(?:word|phrase)(?: is)? ["'\`]`, QUOTED),
      // XML: <SecretAccessKey>…</SecretAccessKey>
      pattern(`${NAME}>`, String.raw`[^<>\n]+(?=<\/)`),
      // The command line: --password …
      pattern(String.raw`--[\w-]{0,32}${NAME}[ \t]{1,4}`, `(?!-)(?:${BARE})`),
    ],
  },
  {
    // The value of a header without its name.
    sign: /bearer|basic/i,
    patterns: [pattern(String.raw`\b(?:bearer|basic) +`, String.raw`(?=[a-z.~-]{0,80}[\d+/=_])[\w+/=.~-]{8,}`)],
  },
  {
    // Commands of Redis: AUTH app …, HELLO 3 AUTH app …, as a line, a list, in MONITOR or in its protocol.
    sign: /auth|hello|setuser|requirepass/i,
    patterns: [
      pattern(
        String.raw`["'\`]auth2?["'\`][\s,]{1,8}`,
        String.raw`${QUOTED_ARGUMENT}(?:[\s,]{1,8}${QUOTED_ARGUMENT})?`,
      ),
      pattern(String.raw`\bhello \d auth (?!\*\*\*)`, String.raw`[^\s<]+ [^\s<]+`),
      pattern(
        String.raw`\bauth2? +(?!\*\*\*)`,
        String.raw`(?:[^\s"'<]{1,256} +)?(?=[^\s"'<]{0,256}[\d_+/=$!#%^*~-])${BARE}`,
      ),
      pattern(String.raw`(?<=["'\`])auth +`, String.raw`[^\s"'\`<]+(?: +[^\s"'\`<]+)?(?=["'\`])`),
      pattern(String.raw`\bauth2?\r?\n\$\d{1,6}\r?\n`, String.raw`[^\r\n]+(?:\r?\n\$\d{1,6}\r?\n[^\r\n]+)?`),
      pattern(String.raw`unknown command ["'\`]?(?:auth|hello)["'\`]?, with args beginning with: `, String.raw`[^\n]+`),
      pattern(String.raw`["'](?:auth|hello)["']\s{0,8},\s{0,8}["']?args["']?\s{0,4}:\s{0,4}\[`, String.raw`[^\]]+`),
      pattern(String.raw`(?:requirepass|masterauth)["']? {1,4}`, String.raw`${QUOTED_ARGUMENT}|[^\s"'\`<,]+`),
      pattern(String.raw`\bsetuser\b[^\n>]{0,256}>`, String.raw`[^\s"']+`),
    ],
  },
  {
    // PEM of any kind, also one that was cut.
    sign: /---- ?(?:BEGIN|END) /i,
    patterns: [
      pattern('-{4,5} ?BEGIN [a-z0-9 ]{1,40}-{4,5}', '(?:[^-]|-(?!---))+(?=-{4,5} ?END )'),
      pattern('-{4,5} ?BEGIN [a-z0-9 ]{1,40}-{4,5}', String.raw`(?=[\s"'+]{0,20}[a-z0-9+/=]{24})[\w+/=\s"']+`),
      pattern('^', String.raw`[\w+/=\s"']{24,}(?=-{4,5} ?END )`),
    ],
  },
  {
    // JSON Web Tokens, and tokens whose prefix names their issuer.
    sign: /eyJ|gh[opsur]_|github_|glpat-|xox|_live_|_test_|npm_|AIza|AKIA|ASIA/i,
    patterns: [
      pattern(String.raw`(?<![\w-])|(?<=%[0-9a-f]{2})`, String.raw`eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}`),
      pattern(
        String.raw`(?<![\w-])`,
        String.raw`(?:gh[opsur]|github_pat|npm|[rs]k_(?:live|test))_\w{10,255}|(?:glpat|xox[a-z])-[\w-]{10,255}|AIza[\w-]{30,255}|(?:AKIA|ASIA)[A-Z0-9]{16}`,
      ),
    ],
  },
  {
    // Credentials without the scheme of their URL: app:…@redis.internal
    sign: /@/,
    patterns: [
      pattern(
        String.raw`(?<![\w/.@-])(?!mailto:|npm:|sips?:)[\w.-]{1,64}:`,
        String.raw`[^\s:@/"'\`<>]{3,256}(?=@[a-z[][\w.:-]{2,})`,
      ),
    ],
  },
];

/** Built when a text is first searched, so that importing the package does not take the time. */
let telling: readonly Telling[] | undefined;

/** Every credential that can be recognised without knowing it: in a URL, or by what stands before it. */
export function findTelling(text: string): Passage[] {
  return [...findUrlCredentials(text), ...findByPattern(text)];
}

/** Every credential that can be recognised by what stands before it. */
export function findByPattern(text: string): Passage[] {
  telling ??= makeTelling();
  return telling
    .filter(({ sign }) => sign.test(text))
    .flatMap(({ patterns }) => patterns)
    .flatMap((each) => [...text.matchAll(each)])
    .map(({ 0: whole, 1: before = '', index }) => ({ start: index + before.length, end: index + whole.length }));
}
