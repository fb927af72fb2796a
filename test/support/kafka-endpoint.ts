import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { deferred } from './deferred.js';
import { freePort } from './redis-server.js';

const HOST = '127.0.0.1';
const NODE = 1;
const NO_TAGS = Buffer.of(0);
const NO_LIST = Buffer.of(1);
const NULL_TEXT = Buffer.of(0);
const UNKNOWN = -1;
/** What comes before the records of a batch. */
const BATCH_HEADER = 61;
const RECORD_COUNT = 57;

const PRODUCE = 0;
const METADATA = 3;
const API_VERSIONS = 18;
/** What is spoken: a version of each request, all of them of the "flexible" kind, which ends each structure with tags. */
const VERSIONS: Readonly<Record<number, number>> = { [PRODUCE]: 10, [METADATA]: 12, [API_VERSIONS]: 3 };

/**
 * Speaks Kafka's protocol to real producers over TCP, as a cluster of one broker whose topics have one partition: the versions of the
 * protocol, metadata and produce requests. It keeps the messages and serves no consumer: a broker is neither in Debian nor on npm.
 */
export interface KafkaEndpoint extends AsyncDisposable {
  /** `host:port`, as clients take it. */
  readonly address: string;
  /** The values of the messages that have come, in their order. */
  readonly messages: string[];
  /** How many connections are open. */
  readonly connections: number;
  /** From now on, messages are taken and not acknowledged until `acknowledge()`. */
  holdAcknowledgements(): void;
  acknowledge(): void;
  /** Cuts all connections and listens no more. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
}

export async function startKafkaEndpoint(): Promise<KafkaEndpoint> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const messages: string[] = [];
  let gate = deferred();
  gate.resolve();

  const answer = async (request: RequestReader): Promise<Buffer> => {
    const [key, version, id] = [request.int16(), request.int16(), request.int32()];
    if (VERSIONS[key] !== version) throw new Error(`Request ${key} of version ${version} is not spoken here`);
    request.skip(request.int16()); // the client's id
    request.tags();
    if (key === API_VERSIONS) return Buffer.concat([int32(id), versions()]); // the one reply without tags in its header
    if (key === METADATA) return Buffer.concat([int32(id), NO_TAGS, metadata(request, port)]);
    const acknowledgement = produce(request, messages);
    await gate.promise;
    return Buffer.concat([int32(id), NO_TAGS, acknowledgement]);
  };

  const serve = async (socket: Socket): Promise<void> => {
    let buffer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readInt32BE(0)) {
        const end = 4 + buffer.readInt32BE(0);
        const reply = await answer(new RequestReader(buffer.subarray(4, end)));
        socket.write(Buffer.concat([int32(reply.length), reply]));
        buffer = buffer.subarray(end);
      }
    }
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket).catch(() => socket.destroy()); // the client has hung up, or speaks another version
  });

  const endpoint: KafkaEndpoint = {
    address: `${HOST}:${port}`,
    messages,
    get connections() {
      return sockets.size;
    },
    holdAcknowledgements: () => void (gate = deferred()),
    acknowledge: () => gate.resolve(),
    async stop() {
      gate.resolve();
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

function versions(): Buffer {
  const ranges = Object.entries(VERSIONS).map(([key, version]) =>
    Buffer.concat([int16(Number(key)), int16(version), int16(version), NO_TAGS]),
  );
  return Buffer.concat([int16(0), list(ranges), int32(0), NO_TAGS]);
}

/** Every topic that is asked for exists. */
function metadata(request: RequestReader, port: number): Buffer {
  const names = request.list(() => {
    request.skip(16); // its id
    const name = request.text();
    request.tags();
    return name;
  });
  const nodes = list([int32(NODE)]);
  const partition = [int16(0), int32(0), int32(NODE), int32(0), nodes, nodes, NO_LIST, NO_TAGS];
  const topics = names.map((name) =>
    Buffer.concat([
      int16(0),
      text(name),
      Buffer.alloc(16), // its id
      Buffer.of(0), // not internal
      list([Buffer.concat(partition)]),
      int32(0), // authorized operations
      NO_TAGS,
    ]),
  );
  const broker = [int32(NODE), text(HOST), int32(port), NULL_TEXT, NO_TAGS];
  return Buffer.concat([
    int32(0),
    list([Buffer.concat(broker)]),
    text('test-cluster'),
    int32(NODE), // the controller
    list(topics),
    NO_TAGS,
  ]);
}

/** Takes the messages, and returns what acknowledges them. */
function produce(request: RequestReader, messages: string[]): Buffer {
  request.text(); // of a transaction
  request.skip(2 + 4); // acks, timeout
  const topics = request.list(() => {
    const name = request.text();
    const partitions = request.list(() => {
      const index = request.int32();
      const offset = messages.length;
      messages.push(...valuesOf(request.bytes()));
      request.tags();
      const times = [int64(UNKNOWN), int64(0)]; // of the append; the first offset
      return Buffer.concat([int32(index), int16(0), int64(offset), ...times, NO_LIST, NULL_TEXT, NO_TAGS]);
    });
    request.tags();
    return Buffer.concat([text(name), list(partitions), NO_TAGS]);
  });
  return Buffer.concat([list(topics), int32(0), NO_TAGS]);
}

/** The values in a batch of records that is not compressed. */
function valuesOf(batch: Buffer): string[] {
  const records = new RequestReader(batch.subarray(BATCH_HEADER));
  return Array.from({ length: batch.readInt32BE(RECORD_COUNT) }, () => {
    const record = new RequestReader(records.take(records.signed()));
    record.skip(1); // attributes
    record.signed(); // time
    record.signed(); // offset
    record.take(record.signed()); // key
    return record.take(record.signed()).toString();
  });
}

/** Reads what follows, field by field. */
class RequestReader {
  #at = 0;

  constructor(private readonly buffer: Buffer) {}

  take(length: number): Buffer {
    const taken = this.buffer.subarray(this.#at, this.#at + Math.max(length, 0)); // -1 is null
    this.#at += taken.length;
    return taken;
  }

  skip(length: number): void {
    this.take(length);
  }

  int16(): number {
    return this.take(2).readInt16BE();
  }

  int32(): number {
    return this.take(4).readInt32BE();
  }

  /** Seven bits a byte, the lowest first; a byte of 128 or more says that another follows. */
  unsigned(): number {
    const byte = this.take(1).readUInt8();
    return byte < 128 ? byte : byte - 128 + 128 * this.unsigned();
  }

  /** Even numbers are 0, 1, 2 and so on, odd ones -1, -2 and so on. */
  signed(): number {
    const number = this.unsigned();
    return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }

  /** Lengths of what follows are given plus one: 0 is null. */
  bytes(): Buffer {
    return this.take(this.unsigned() - 1);
  }

  text(): string {
    return this.bytes().toString();
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(this.unsigned() - 1, 0) }, read);
  }

  tags(): void {
    if (this.unsigned() !== 0) throw new Error('Tags are not spoken here');
  }
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value));
  return buffer;
}

function unsigned(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of(128 + (value % 128)), unsigned(value >> 7)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([unsigned(bytes.length + 1), bytes]);
}

function list(items: readonly Buffer[]): Buffer {
  return Buffer.concat([unsigned(items.length + 1), ...items]);
}
