import { Logger } from '@nestjs/common';

/** Says once that something has stopped working, however often it is tried, and once that it works again. */
export class OutageLog {
  private readonly logger: Logger;
  private ongoing = false;

  constructor(context: string) {
    this.logger = new Logger(context);
  }

  failed(consequence: string, error: unknown): void {
    if (!this.ongoing) this.logger.warn(`${consequence} (${String(error)})`);
    this.ongoing = true;
  }

  succeeded(): void {
    if (this.ongoing) this.logger.log('This works again');
    this.ongoing = false;
  }
}
