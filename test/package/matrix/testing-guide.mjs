// The code of docs/testing.md, for the projects that try it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../pack.mjs';

const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8');

/** What it has Jest's users add to their settings. */
export const jestSettings = JSON.parse(/^```json\n(.*?)^```$/ms.exec(guide)[1]);

const [visits, unitTest, redisTest] = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
export { redisTest, unitTest, visits };

/** What it has users run before and for the test servers. */
export const installCommands = [...guide.matchAll(/^```sh\n(npm .*?)\n```$/gms)].map(([, command]) => command);
