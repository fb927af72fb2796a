import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';
import { freePort } from './redis-server.js';

const HOST = '127.0.0.1';
const SET_NAME = 'main';
const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
/** Flag bits of OP_MSG: another reply follows without a request; the client allows such replies. */
const MORE_TO_COME = 1 << 1;
const EXHAUST_ALLOWED = 1 << 16;

/**
 * Speaks MongoDB's wire protocol to real drivers over TCP: the handshake, streamed heartbeats, `ping` and `endSessions`. It stores
 * nothing. It is used because MongoDB's own server is neither in Debian nor on npm.
 */
export interface MongoEndpoint extends AsyncDisposable {
  readonly url: string;
  /** The names of the commands that have arrived, without those of the handshake. */
  readonly commands: string[];
  /** How many connections are open. */
  readonly connections: number;
  /** Cuts all connections and stops listening. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
}

export async function startMongoEndpoint(): Promise<MongoEndpoint> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const commands: string[] = [];
  const processId = new BSON.ObjectId();
  const timers = new Map<Socket, NodeJS.Timeout>();

  const hello = (): Document => ({
    ok: 1,
    helloOk: true,
    setName: SET_NAME,
    setVersion: 1,
    hosts: [`${HOST}:${port}`],
    me: `${HOST}:${port}`,
    primary: `${HOST}:${port}`,
    isWritablePrimary: true,
    ismaster: true,
    minWireVersion: 0,
    maxWireVersion: 25,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: 30,
    topologyVersion: { processId, counter: BSON.Long.fromNumber(0) },
  });

  const answer = (socket: Socket, requestId: number, command: Document, flags: number): void => {
    const [name = ''] = Object.keys(command);
    if (name.toLowerCase() !== 'hello' && name !== 'ismaster') {
      commands.push(name);
      socket.write(message(requestId, { ok: 1 }));
      return;
    }
    if (!command['topologyVersion']) return void socket.write(message(requestId, hello()));
    // A streamed heartbeat: answered again and again, with pauses, if the client allows it.
    const wait = Number(command['maxAwaitTimeMS']);
    const beat = (replyTo: number): void => {
      timers.set(
        socket,
        setTimeout(() => {
          const streams = (flags & EXHAUST_ALLOWED) !== 0;
          socket.write(message(replyTo, hello(), streams ? MORE_TO_COME : 0));
          if (streams) beat(replyTo);
        }, wait).unref(),
      );
    };
    beat(requestId);
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timers.get(socket));
      sockets.delete(socket);
    });
    let buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= HEADER && buffer.length >= buffer.readInt32LE(0)) {
        const packet = buffer.subarray(0, buffer.readInt32LE(0));
        buffer = buffer.subarray(packet.length);
        const requestId = packet.readInt32LE(4);
        const code = packet.readInt32LE(12);
        if (code === OP_QUERY) {
          const start = packet.indexOf(0, HEADER + 4) + 1 + 8;
          const [name = ''] = Object.keys(BSON.deserialize(packet.subarray(start)));
          if (!/^(hello|ismaster)$/i.test(name)) commands.push(name);
          socket.write(legacyReply(requestId, hello()));
        } else if (code === OP_MSG) {
          const flags = packet.readUInt32LE(HEADER);
          const size = packet.readInt32LE(HEADER + 5);
          answer(socket, requestId, BSON.deserialize(packet.subarray(HEADER + 5, HEADER + 5 + size)), flags);
        }
      }
    });
  });

  const endpoint: MongoEndpoint = {
    url: `mongodb://${HOST}:${port}/?replicaSet=${SET_NAME}`,
    commands,
    get connections() {
      return sockets.size;
    },
    async stop() {
      const closed = server.listening && once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async start() {
      server.listen(port, HOST);
      await once(server, 'listening');
    },
    [Symbol.asyncDispose]: () => endpoint.stop(),
  };
  await endpoint.start();
  return endpoint;
}

function message(replyTo: number, document: Document, flags = 0): Buffer {
  const flagBits = Buffer.alloc(5); // the fifth byte is 0: one document follows
  flagBits.writeUInt32LE(flags);
  return pack(OP_MSG, replyTo, [flagBits, BSON.serialize(document)]);
}

function legacyReply(replyTo: number, document: Document): Buffer {
  const fields = Buffer.alloc(20);
  fields.writeInt32LE(1, 16); // one document
  return pack(OP_REPLY, replyTo, [fields, BSON.serialize(document)]);
}

function pack(code: number, replyTo: number, body: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(HEADER);
  const bytes = Buffer.concat([header, ...body]);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.writeInt32LE(replyTo, 8);
  bytes.writeInt32LE(code, 12);
  return bytes;
}
