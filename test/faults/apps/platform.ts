import type { AbstractHttpAdapter } from '@nestjs/core';

/** What serves HTTP under Nest. */
export const PLATFORMS = ['Express', 'Fastify'] as const;

export interface FastifyOptions {
  /** Whether it turns away what comes on open connections while it closes, which is its default. */
  return503OnClosing?: boolean;
}

export type Platform = (typeof PLATFORMS)[number];

/** Loads that one only. `options` are Fastify's. */
export async function createAdapter(platform: Platform, options: FastifyOptions = {}): Promise<AbstractHttpAdapter> {
  if (platform === 'Express') return new (await import('@nestjs/platform-express')).ExpressAdapter();
  return new (await import('@nestjs/platform-fastify')).FastifyAdapter(options) as AbstractHttpAdapter;
}
