import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import { redactFields, redactText } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Facts of an event, by name; names carry their unit. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One line per event that matters: its facts, then one sentence. URLs, keys and headers are taken out of both. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose every line carries `fields` too. */
  child(fields: LogFields): Logger;
}

export interface LogOptions {
  /** Lowest level that is written. */
  readonly level: LogLevel | 'silent';
}

/** A logger that writes JSON lines with ISO time and the level's name, to standard output unless told otherwise. */
export function createLogger(options: LogOptions, destination: DestinationStream = pino.destination(1)): Logger {
  const sink = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return loggerOver(sink, {});
}

/** The part of pino that is used. */
type Sink = Pick<pino.Logger, LogLevel | 'isLevelEnabled'>;

function loggerOver(sink: Sink, common: LogFields): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string): void => {
    if (sink.isLevelEnabled(level)) sink[level](redactFields({ ...common, ...fields }), redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerOver(sink, { ...common, ...fields }),
  };
}
