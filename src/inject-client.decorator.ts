import { Inject } from '@nestjs/common';
import { getClientToken } from './clients.tokens.js';

/**
 * Injects the client named `name`: the one shared instance, built when it is first injected anywhere.
 *
 * @example
 * constructor(@InjectClient('postgres') private readonly postgres: Pool) {}
 */
export function InjectClient(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(getClientToken(name));
}
