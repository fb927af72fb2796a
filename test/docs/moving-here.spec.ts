import { readFile } from 'node:fs/promises';
import type { Type } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedisServer } from '../../src/testing/index.js';
import { bootApp, registryOf } from '../support/boot-app.js';
import { runExample } from './examples.js';

describe('docs/moving-here.md', () => {
  it.each([
    ['RatingsModule', ['redis']],
    ['CartsModule', ['redis', 'sessions']],
    ['FeedsModule', ['redis', 'sessions']],
    ['InvoicesModule', ['dynamodb', 'sqs']],
  ])('boots and closes what it ends with: %s', async (name, clients) => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const example = await runExample<Record<string, Type>>('docs/moving-here.md', name, {
      'redis://localhost:6379': server.url,
    });
    const load = [() => ({ REDIS_URL: server.url })];
    const config = await ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, ignoreEnvVars: true, load });
    const app = await bootApp({ imports: [config, example[name] as Type] });

    expect(registryOf(app).status()).toMatchObject(clients.map((client) => ({ name: client, state: 'open' })));
    await app.close();
    expect(registryOf(app).status()).toMatchObject(clients.map((client) => ({ name: client, state: 'closed' })));
  });

  it('has before and after in one row of a table, with the same classes', async () => {
    const markdown = await readFile(new URL('../../docs/moving-here.md', import.meta.url), 'utf8');
    const blank = String.raw`\n\n`;
    const cell = (fence: string) => String.raw`<td valign="top">${blank}\`\`\`${fence}\n(.*?)^\`\`\`${blank}</td>\n`;
    const row = new RegExp(`^<tr>\n${cell('ts before')}${cell('ts')}</tr>$`, 'gms');
    const pairs = [...markdown.matchAll(row)];
    const classesOf = (code = '') => [...code.matchAll(/^export class \w+/gm)].map(String);

    expect(pairs).toHaveLength(4);
    expect(markdown.match(/^```ts/gm)).toHaveLength(8);
    for (const [, before, after] of pairs) expect(classesOf(after)).toEqual(classesOf(before));
  });
});
