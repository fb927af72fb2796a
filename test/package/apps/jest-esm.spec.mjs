import 'reflect-metadata';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as testing from '@nestjs/testing';
import * as clients from 'nestjs-clients';
import * as redis from 'nestjs-clients/redis';
import * as servers from 'nestjs-clients/testing';
import * as runner from '@jest/globals';
import visits from './visits-app.cjs';

visits.describeVisits([common, core, clients, redis, servers], testing, runner);
