import { Controller, Get, Inject, Injectable, Module, Param } from '@nestjs/common';

/** What TypeScript's decorators do, for classes in plain JavaScript. */

export function asModule(metadata, target = class {}) {
  Module(metadata)(target);
  return target;
}

export function asInjectable(target, tokens, options) {
  Injectable(options)(target);
  tokens.forEach((token, index) => Inject(token)(target, undefined, index));
  return target;
}

/** `routes`: method name -> path; each method takes the parameter `id`. */
export function asController(path, target, tokens, routes) {
  Controller(path)(target);
  tokens.forEach((token, index) => Inject(token)(target, undefined, index));
  for (const [method, route] of Object.entries(routes)) {
    Get(route)(target.prototype, method, Object.getOwnPropertyDescriptor(target.prototype, method));
    Param('id')(target.prototype, method, 0);
  }
  return target;
}
