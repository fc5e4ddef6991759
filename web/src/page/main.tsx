import { render } from 'preact';
import { App } from './App.tsx';
import { watchHub } from './hub-client.ts';
import { Store } from './store.ts';
import './page.css';

const store = new Store();
const root = document.getElementById('page')!;
const draw = (): void => render(<App store={store} />, root);
store.begin(draw, location.hash);
draw();
watchHub(location, {
  frame: (frame) => store.onFrame(frame),
  state: (hub) =>
    store.change((it) => {
      it.hub = hub;
    }),
});
