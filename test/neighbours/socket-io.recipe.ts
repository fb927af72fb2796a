import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { createAdapter } from '@socket.io/redis-adapter';
import type { Server, ServerOptions } from 'socket.io';
import { ClientRegistry, ClientsModule, type ClientsOf } from '../../src/index.js';
import { redisClient, redisDuplicate } from '../../src/redis/index.js';

const clients = { redis: redisClient('redis://localhost:6379'), subscriber: redisDuplicate() };

export const AppClientsModule = ClientsModule.forRoot({ clients });

/** Sends what one instance emits to the sockets of all instances. */
export class RedisIoAdapter extends IoAdapter {
  constructor(
    app: INestApplication,
    private readonly adapter: ReturnType<typeof createAdapter>,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    return super.createIOServer(port, options).adapter(this.adapter);
  }
}

/** Call it between `NestFactory.create` and `app.listen`. */
export async function useRedisAdapter(app: INestApplication): Promise<void> {
  const registry = app.get<ClientRegistry<ClientsOf<typeof clients>>>(ClientRegistry);
  const [publisher, subscriber] = [await registry.get('redis'), await registry.get('subscriber')];
  app.useWebSocketAdapter(new RedisIoAdapter(app, createAdapter(publisher, subscriber)));
}
