import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { listen } from '../../src/testing/listen.js';

/** A request as the server saw it: one for each time that it was sent. */
export interface SeenRequest {
  /** Service and operation, such as `SQS.SendMessage`. */
  readonly operation: string;
  /** Its subject: a message, a key or a function. */
  readonly subject: string;
}

/** How an operation is refused. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
}

export interface AwsServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  /** The options with which a client of any service reaches it. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** What has arrived so far, in order. */
  readonly seen: readonly SeenRequest[];
  /** How often an operation has arrived. */
  count(operation: string): number;
  /** Resolves as soon as an operation has arrived so many times. */
  arrived(operation: string, times?: number): Promise<void>;
  /** Refuses an operation from now on, or all of a service: `DynamoDB.*`. */
  refuse(operation: string, refusal: Refusal): void;
  /** Holds back the answers of an operation, or of a whole service, until `release()`. */
  hold(operation: string): void;
  /** Sends the first half of each object, or of a stream of events, and the second only after `release()`. */
  holdBodies(): void;
  /** Sends what was held back, and answers at once from then on. */
  release(): void;
  /** Open connections. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Resolves as soon as no connection is open. */
  disconnected(): Promise<void>;
  close(): Promise<void>;
}

/** The body of every GetObject. It is larger than the buffers of a connection. */
export const OBJECT = Buffer.alloc(8 * 1024 * 1024, 'An object of S3. ');

/**
 * Starts a server on a free loopback port that counts requests. It speaks enough of S3, SQS, SNS, Lambda and DynamoDB, each in
 * its own protocol, for the SDK's clients to work.
 */
export async function startAwsServer(): Promise<AwsServer> {
  const seen: SeenRequest[] = [];
  const watchers = new Set<() => void>();
  const refusals = new Map<string, Refusal>();
  const held = new Set<string>();
  const sockets = new Set<Socket>();
  let accepted = 0;
  let bodies = false;
  let gate = openGate();

  const notify = (): void => {
    for (const watch of watchers) watch();
  };
  const until = (reached: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const watch = (): void => {
        if (reached()) resolve(void watchers.delete(watch));
      };
      watchers.add(watch);
      watch();
    });
  const count = (operation: string): number => seen.filter((request) => request.operation === operation).length;
  const find = <T>(map: { get(key: string): T | undefined }, operation: string): T | undefined =>
    map.get(operation) ?? map.get(`${operation.split('.')[0]}.*`);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { protocol, identify } = readHead(request);
    // In S3, the head of a request names the operation, so an upload is counted as soon as it begins.
    const early = protocol === 'rest-xml' ? undefined : await buffer(request);
    const { operation, subject } = identify(early?.toString() ?? '');
    seen.push({ operation, subject });
    notify();
    const body = early ?? (await buffer(request));
    if (held.has(operation) || held.has(`${operation.split('.')[0]}.*`)) await gate.opened;
    const refusal = find(refusals, operation);
    if (refusal) return refuse(response, protocol, refusal);
    const halfway = async (): Promise<void> => {
      if (bodies) await gate.opened;
    };
    await answer(response, operation, { subject, body, halfway });
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  // An upload sends "Expect: 100-continue", and its body only once the server has answered that.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      notify();
    });
  });
  const { host, port } = await listen(server);
  const endpoint = `http://${host}:${port}`;
  const release = (): void => {
    held.clear();
    bodies = false;
    gate.open();
    gate = openGate();
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    release();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    endpoint,
    host,
    port,
    clientConfig: {
      endpoint,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
    },
    seen,
    count,
    arrived: (operation, times = 1) => until(() => count(operation) >= times),
    refuse: (operation, refusal) => void refusals.set(operation, refusal),
    hold: (operation) => void held.add(operation),
    holdBodies() {
      bodies = true;
    },
    release,
    get connections() {
      return sockets.size;
    },
    get accepted() {
      return accepted;
    },
    disconnected: () => until(() => sockets.size === 0),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Protocol = 'json' | 'rest-json' | 'rest-xml' | 'query';

interface Call {
  readonly protocol: Protocol;
  readonly identify: (body: string) => SeenRequest;
}

const S3_OPERATIONS: Readonly<Record<string, string>> = { GET: 'GetObject', PUT: 'PutObject', HEAD: 'HeadObject' };

function readHead({ headers, method = '', url = '/' }: IncomingMessage): Call {
  const { pathname, searchParams } = new URL(url, 'http://server');
  const target = headers['x-amz-target'];
  if (typeof target === 'string') {
    const [service = '', name = ''] = target.split('.');
    const prefix = service.startsWith('DynamoDB') ? 'DynamoDB' : service.replace('Amazon', '');
    const identify = (body: string): SeenRequest => {
      const input = JSON.parse(body || '{}') as Record<string, unknown>;
      const { MessageBody, TableName, Key, Item, QueueUrl, ReceiptHandle } = input;
      const { id } = (Key ?? Item ?? {}) as { id?: { S?: string } };
      const subject = id?.S ?? MessageBody ?? ReceiptHandle ?? TableName ?? QueueUrl;
      return { operation: `${prefix}.${name}`, subject: typeof subject === 'string' ? subject : '' };
    };
    return { protocol: 'json', identify };
  }
  const lambda = /^\/\d{4}-\d\d-\d\d\/functions\/([^/]+)\/(invocations|response-streaming-invocations)$/.exec(pathname);
  if (lambda) {
    const [, subject = '', kind] = lambda;
    const operation = kind === 'invocations' ? 'Lambda.Invoke' : 'Lambda.InvokeWithResponseStream';
    return { protocol: 'rest-json', identify: () => ({ operation, subject }) };
  }
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const identify = (body: string): SeenRequest => {
      const form = new URLSearchParams(body);
      return { operation: `SNS.${form.get('Action')}`, subject: form.get('Message') ?? '' };
    };
    return { protocol: 'query', identify };
  }
  const [, bucket = '', ...key] = pathname.split('/');
  const asked = ['ListObjectsV2', 'CreateSession'].find((_, index) =>
    searchParams.has(['list-type', 'session'][index]!),
  );
  const operation = `S3.${asked ?? S3_OPERATIONS[method]}`;
  const subject = searchParams.get('continuation-token') ?? (key.join('/') || bucket);
  return { protocol: 'rest-xml', identify: () => ({ operation, subject }) };
}

function refuse(response: ServerResponse, protocol: Protocol, { status, code }: Refusal): void {
  if (protocol === 'json') {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws#${code}`, message: 'refused' }));
  } else if (protocol === 'rest-json') {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code });
    response.end(JSON.stringify({ message: 'refused' }));
  } else {
    response.writeHead(status, { 'content-type': 'application/xml' });
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>refused</Message></Error>`;
    response.end(protocol === 'query' ? `<ErrorResponse>${error}</ErrorResponse>` : error);
  }
}

interface Input {
  readonly subject: string;
  readonly body: Buffer;
  readonly halfway: () => Promise<void>;
}

async function answer(response: ServerResponse, operation: string, input: Input): Promise<void> {
  const { subject, body, halfway } = input;
  switch (operation) {
    case 'S3.GetObject': {
      response.writeHead(200, { 'content-length': OBJECT.length, etag: '"object"' });
      response.write(OBJECT.subarray(0, OBJECT.length / 2));
      await halfway();
      response.end(OBJECT.subarray(OBJECT.length / 2));
      return;
    }
    case 'S3.HeadObject':
      response.writeHead(subject.startsWith('missing') ? 404 : 200).end();
      return;
    case 'S3.PutObject':
      response.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"` }).end();
      return;
    case 'S3.CreateSession':
      xml(
        response,
        `<CreateSessionResult><Credentials><SessionToken>token</SessionToken><SecretAccessKey>secret</SecretAccessKey><AccessKeyId>AKIASESSION</AccessKeyId><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`,
      );
      return;
    case 'S3.ListObjectsV2': {
      const page = Number(/^page (\d+)$/.exec(subject)?.[1] ?? 1);
      const next = page < 3 ? `<NextContinuationToken>page ${page + 1}</NextContinuationToken>` : '';
      xml(
        response,
        `<ListBucketResult><IsTruncated>${page < 3}</IsTruncated><Contents><Key>key ${page}</Key></Contents>${next}</ListBucketResult>`,
      );
      return;
    }
    case 'SQS.SendMessage':
      json(response, { MessageId: subject, MD5OfMessageBody: createHash('md5').update(subject).digest('hex') });
      return;
    case 'SQS.ReceiveMessage': {
      const md5 = createHash('md5').update('hello').digest('hex');
      json(response, { Messages: [{ MessageId: '1', ReceiptHandle: 'receipt', Body: 'hello', MD5OfBody: md5 }] });
      return;
    }
    case 'SNS.Publish':
      xml(
        response,
        '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>',
      );
      return;
    case 'Lambda.Invoke':
      response.writeHead(200, { 'content-type': 'application/json' }).end('"done"');
      return;
    case 'Lambda.InvokeWithResponseStream':
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      response.write(encodeEvent('PayloadChunk', 'first'));
      await halfway();
      response.write(encodeEvent('PayloadChunk', 'second'));
      response.end(encodeEvent('InvokeComplete', '{}'));
      return;
    case 'DynamoDB.ListTables':
      json(response, { TableNames: ['links'] });
      return;
    case 'DynamoDB.DescribeTable':
      json(response, { Table: { TableName: subject, TableStatus: 'CREATING' } });
      return;
    case 'DynamoDB.GetItem':
      json(response, { Item: { id: { S: subject } } });
      return;
    default:
      json(response, {}); // SQS.DeleteMessage, DynamoDB.PutItem and others that answer nothing
  }
}

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(value));
}

function xml(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
}

/** One message of an AWS event stream: lengths, their checksum, headers, payload, checksum of everything. */
function encodeEvent(type: string, payload: string): Buffer {
  const headers = Buffer.concat(
    Object.entries({ ':message-type': 'event', ':event-type': type, ':content-type': 'application/octet-stream' }).map(
      ([name, value]) => {
        const length = Buffer.alloc(3);
        length.writeUInt8(7, 0); // 7 is the type of strings
        length.writeUInt16BE(value.length, 1);
        return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, Buffer.from(value)]);
      },
    ),
  );
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const message = Buffer.concat([prelude, checksum(prelude), headers, Buffer.from(payload)]);
  return Buffer.concat([message, checksum(message)]);
}

function checksum(data: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(data));
  return sum;
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function openGate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
