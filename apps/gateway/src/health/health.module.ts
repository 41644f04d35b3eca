import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';

/** What load balancers and supervisors ask. */
@Module({ controllers: [HealthController] })
export class HealthModule {}
