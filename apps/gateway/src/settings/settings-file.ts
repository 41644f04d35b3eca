import 'reflect-metadata';
import {
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsClientCertificateList, type JwtSettings, type TlsSettings } from './access-settings.js';
import {
  IsByteSize,
  IsCommandClassMap,
  IsDiscoveryList,
  IsListenerList,
  IsMonitorSockets,
  IsOriginList,
  IsVmMap,
} from './settings-rules.js';
import { logLevels, type LogLevel } from './settings.js';

/** Where the audit log goes and whether commands may run without it. */
export class AuditSettings {
  /** File name inside the state directory, or an absolute path. */
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  file = 'audit.log';

  /** Refuse commands while the log can't be written. */
  @IsBoolean()
  @IsOptional()
  required = false;
}

/** How much is kept of past events, in all. */
export class HistorySettings {
  @IsInt()
  @Min(0)
  @Max(10_000_000)
  @IsOptional()
  events = 100_000;

  @IsByteSize()
  @IsOptional()
  bytes: number | string = '64MiB';
}

/** Bounds. Sizes take `64KiB`, `1MiB`, … or bytes. */
export class LimitSettings {
  @IsByteSize()
  @IsOptional()
  commandBytes: number | string = '64KiB';

  @IsByteSize()
  @IsOptional()
  bodyBytes: number | string = '1MiB';

  @IsInt()
  @Min(1)
  @IsOptional()
  queue = 1000;

  @IsByteSize()
  @IsOptional()
  replyBytes: number | string = '256MiB';

  @IsByteSize()
  @IsOptional()
  lineBytes: number | string = '64MiB';

  @IsInt()
  @Min(1)
  @IsOptional()
  connections = 10_000;

  /** Of one principal; 0 for any number. */
  @IsInt()
  @Min(0)
  @IsOptional()
  requestsPerSecond = 0;
}

/** The settings as the file, the environment and the flags write them. The one list of keys, types and defaults. */
export class SettingsFile {
  @IsArray()
  @ArrayNotEmpty()
  @IsListenerList()
  @IsOptional()
  listen: unknown[] = ['127.0.0.1:8080'];

  @IsString()
  @IsNotEmpty()
  @IsOptional()
  state?: string;

  @IsIn(['token', 'none'])
  @IsOptional()
  auth: 'token' | 'none' = 'token';

  @IsBoolean()
  @IsOptional()
  allowHost = false;

  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @IsOptional()
  allowedHosts: string[] = [];

  @IsArray()
  @IsOriginList()
  @IsOptional()
  allowedOrigins: string[] = [];

  @ValidateNested()
  @IsObject()
  @IsOptional()
  tls?: TlsSettings;

  @ValidateNested()
  @IsObject()
  @IsOptional()
  jwt?: JwtSettings;

  @IsArray()
  @IsClientCertificateList()
  @IsOptional()
  clientCertificates: unknown[] = [];

  @IsBoolean()
  @IsOptional()
  hostCommands = true;

  @IsVmMap()
  @IsOptional()
  vms: Record<string, unknown> = {};

  @IsArray()
  @IsDiscoveryList()
  @IsOptional()
  discover: unknown[] = [];

  @IsArray()
  @IsString({ each: true })
  @IsOptional()
  catalogs: string[] = [];

  @IsCommandClassMap()
  @IsOptional()
  commandClasses: Record<string, string> = {};

  @IsMonitorSockets()
  @IsOptional()
  monitorSockets?: unknown;

  @ValidateNested()
  @IsObject()
  @IsOptional()
  audit = new AuditSettings();

  @ValidateNested()
  @IsObject()
  @IsOptional()
  history = new HistorySettings();

  @ValidateNested()
  @IsObject()
  @IsOptional()
  limits = new LimitSettings();

  @IsIn(logLevels)
  @IsOptional()
  logLevel: LogLevel = 'info';
}
