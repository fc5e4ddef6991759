/** Watching programs from a page on the same machine: `observe` in what is watched, `startHub` for the page. Described in docs/inspector.md. */
export { type Hub, type HubOptions, startHub } from './hub/hub.ts';
export { type Inspector, type InspectorOptions, observe } from './observe.ts';
export { type StatelyInspector, type StatelyInspectorOptions, statelyInspector } from './stately/stately-inspector.ts';
