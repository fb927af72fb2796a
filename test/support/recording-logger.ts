import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';

/** Records the log instead of printing it. */
export class RecordingLogger implements LoggerService {
  readonly lines: string[] = [];

  log(...parts: unknown[]): void {
    this.#add('log', parts);
  }

  error(...parts: unknown[]): void {
    this.#add('error', parts);
  }

  warn(...parts: unknown[]): void {
    this.#add('warn', parts);
  }

  /** The lines that the library has written. */
  get ownLines(): string[] {
    return this.lines.filter((line) => line.endsWith(' ClientsModule'));
  }

  #add(level: string, parts: unknown[]): void {
    const text = parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 10 })));
    this.lines.push(`${level}: ${text.join(' ')}`);
  }
}
