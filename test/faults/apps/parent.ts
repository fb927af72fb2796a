/* What an app in a process of its own has from the test that started it, and tells it. */

export const settings = JSON.parse(process.env['SETTINGS'] ?? '{}') as unknown;

export function say(word: string, value: unknown = null): void {
  process.stdout.write(`@@${word} ${JSON.stringify(value)}\n`);
}
