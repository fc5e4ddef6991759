import type { Subscription } from 'rxjs';
import type { Connection } from '../index.ts';
import type { Reporter } from './reporter.ts';

/** Tells a connection's states and paths as they come, and `connected` once. */
export function follow(connection: Connection, reporter: Reporter): Subscription {
  const subscription = connection.state$.subscribe((value) => reporter.state(value));
  subscription.add(
    connection.path$.subscribe((path) => {
      if (path !== undefined) reporter.path(path);
    }),
  );
  connection.ready.then(
    () => reporter.connected(),
    () => reporter.log('not.connected', { id: connection.id }),
  );
  return subscription;
}
