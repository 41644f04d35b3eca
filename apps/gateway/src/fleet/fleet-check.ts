import { pino } from 'pino';
import type { FleetSettings } from '../settings/fleet-settings.js';
import { SettingsError } from '../settings/load-settings.js';
import { EventStream } from './events/event-stream.js';
import { FleetLink } from './fleet-link.js';

/** NATS has so long to answer. */
const answerMs = 5000;

/**
 * Tries what a fleet needs, without joining it: NATS takes this node's credentials, JetStream answers, and the stream of
 * events, where there is one, is as it must be. Nothing is made.
 * @throws SettingsError with what does not hold
 */
export async function checkFleet(settings: FleetSettings): Promise<void> {
  const log = pino({ level: 'silent' });
  const link = new FleetLink(settings, 'check', log);
  try {
    await link.start();
    await connected(link);
    const faults = await new EventStream(link, log).faults();
    if (faults.length > 0) throw new SettingsError(faults.map((fault) => `fleet: ${fault}`));
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError([`fleet: JetStream does not answer: ${(error as Error).message}`], true);
  } finally {
    await link.close();
  }
}

function connected(link: FleetLink): Promise<void> {
  return new Promise((resolve, reject) => {
    const servers = link.settings.servers.join(', ');
    const late = setTimeout(() => {
      const why = link.lastFault === undefined ? '' : `: ${link.lastFault}`;
      reject(new SettingsError([`fleet.servers: no connection with ${servers}${why}`], true));
    }, answerMs);
    link.observe({
      connected: () => {
        clearTimeout(late);
        resolve();
      },
    });
  });
}
