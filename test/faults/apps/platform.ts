import type { AbstractHttpAdapter } from '@nestjs/core';

/** The HTTP framework under Nest. */
export const PLATFORMS = ['Express', 'Fastify'] as const;

export interface FastifyOptions {
  /** Whether it answers 503 to requests on open connections while it closes, which is its default. */
  return503OnClosing?: boolean;
}

export type Platform = (typeof PLATFORMS)[number];

/** Loads that platform only. `options` are for Fastify. */
export async function createAdapter(platform: Platform, options: FastifyOptions = {}): Promise<AbstractHttpAdapter> {
  if (platform === 'Express') return new (await import('@nestjs/platform-express')).ExpressAdapter();
  return new (await import('@nestjs/platform-fastify')).FastifyAdapter(options) as AbstractHttpAdapter;
}
