import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';
import { RECORDS, type Closing, type Measured } from './record.js';
import { ROWS, type Row } from './rows.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGE = join(ROOT, 'docs/reliability.md');

/** Writes `docs/reliability.md` from what the tests recorded, if all of them ran and passed. */
export class ReliabilityReporter implements Reporter {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nestjs-clients-faults-'));
  readonly #startedAt = performance.now();

  onInit(): void {
    process.env[RECORDS] = this.#folder; // the workers inherit the environment
  }

  async onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason) {
    try {
      const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
      const measured = this.#read<Measured>('rows');
      const missing = (Object.keys(ROWS) as Row[]).filter((row) => !measured.some((one) => one.row === row));
      const complete = reason === 'passed' && errors.length === 0 && skipped.length === 0 && missing.length === 0;
      if (!complete) {
        console.log(`\n${PAGE} stays as it is: not everything ran and held.`);
        return;
      }
      const page = describe(measured, this.#read<Closing>('closings'), performance.now() - this.#startedAt);
      writeFileSync(PAGE, await format(page, { parser: 'markdown', printWidth: 120 }));
      console.log(`\nWrote ${PAGE}`);
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #read<T>(file: string): T[] {
    const path = join(this.#folder, `${file}.jsonl`);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T);
  }
}

function describe(measured: readonly Measured[], closings: readonly Closing[], duration: number): string {
  const rows = Object.entries(ROWS).map(([row, { fault, holds }]) => {
    const cells = measured.filter((one) => one.row === row).map((one) => one.measured);
    return [fault, holds, [...new Set(cells)].join('<br>'), 'yes'];
  });
  const servers = [...new Set(closings.map(({ server }) => server))];
  const faults = [...new Set(closings.map(({ fault }) => fault))];
  const times = faults.map((fault) => [
    fault,
    ...servers.map((server) => {
      const here = closings.filter((closing) => closing.fault === fault && closing.server === server);
      return here.length === 0 ? '' : `${Math.round(Math.max(...here.map(({ slowest }) => slowest)))}`;
    }),
  ]);
  return [
    '# Reliability',
    summarize(rows.length),
    '## Every fault',
    `Written by \`npm run test:faults\`; do not edit. It causes each of these faults, with redis-server processes and a DynamoDB endpoint on the same machine, and fails if a requirement is not met.`,
    `${new Date().toISOString().slice(0, 10)}, ${versions().join(', ')}; ${availableParallelism()} cores; ${Math.round(duration / 1_000)} s.`,
    table(['case', 'must hold', 'measured', 'held'], rows),
    '## How long closing takes',
    `Milliseconds that \`app.close()\` took with a \`closeTimeout\` of 500 ms. Clients with different options were closed at the same time; the table has the slowest. For ioredis there were eight clients: \`maxRetriesPerRequest\` default, 0, 1 and null, each with and without offline queue. For node-redis there were four: default options, without offline queue, with RESP 2, and with a \`pingInterval\`. Columns without a name of a library are ioredis. If a command may still be answered, closing waits for it until the deadline.`,
    table(['fault', ...servers], times),
  ].join('\n\n');
}

/** The summary at the top. Each line sums up rows of the table below; the page is written only if all rows were measured. */
function summarize(faults: number): string {
  return [
    `- **${faults} kinds of faults, all passed.** The tests caused each fault on real servers, and every requirement in the tables was met.`,
    '- **A deployment loses no request.** Under load, every request that was accepted before SIGTERM was answered, and no DynamoDB write was sent twice.',
    '- **Shutdown ends.** Servers that were down, frozen or silent delayed it by the time that you allow for closing, and by about 2 s more at most. A plain `quit()` can wait for ever.',
    '- **Nothing is left behind.** A start that failed or was interrupted left no connection and no process.',
    '- **Outages are survived and reported.** When servers failed and came back, the process kept running, the health check showed the outage, and the log stayed short and contained no password.',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function versions(): string[] {
  const redis = /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? '?';
  const installed = (name: string): string => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
      version: string;
    };
    return version;
  };
  return [
    `Node ${process.versions.node}`,
    `Nest ${installed('@nestjs/core')}`,
    `ioredis ${installed('ioredis')}`,
    `node-redis ${installed('redis')} and ${installed('redis-5')}`,
    `Redis ${redis}`,
    `AWS SDK ${installed('@aws-sdk/client-dynamodb')}`,
  ];
}
