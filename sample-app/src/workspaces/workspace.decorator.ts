import { BadRequestException, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** The workspace of a request that names none. */
export const DEFAULT_WORKSPACE = 'default';

const HEADER = 'x-workspace';
const NAME = /^[a-z0-9-]{1,32}$/;

function readHeader(context: ExecutionContext): string | undefined {
  const name = context.switchToHttp().getRequest<Request>().get(HEADER);
  if (name === undefined || NAME.test(name)) return name;
  throw new BadRequestException(
    `A workspace is named with 1 to 32 small letters, digits and hyphens, such as "team-a" (header ${HEADER}).`,
  );
}

/** The workspace that the request names, or else the default one. A header proves nothing: a real service checks it. */
export const Workspace = createParamDecorator((_: unknown, context) => readHeader(context) ?? DEFAULT_WORKSPACE);

/** The workspace that the request names, if it names one: a browser that follows a link does not. */
export const NamedWorkspace = createParamDecorator((_: unknown, context) => readHeader(context));
