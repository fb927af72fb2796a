/** What nestjs-clients imports, and nothing else: the least that any file costs which is written for Nest and rxjs. */
import 'node:async_hooks';
import 'node:diagnostics_channel';
export { Inject, Injectable, Logger, Module, Scope } from '@nestjs/common';
export { INQUIRER, ModuleRef, ModulesContainer } from '@nestjs/core';
export { Subject } from 'rxjs';
