/** What a page is told that watches a hub, a frame a line. Its argument: the URL of the page. */
import { WatchingPage } from '../../../inspector/watching-page.ts';

const page = new WatchingPage(process.argv[2]!);
page.socket.on('message', (frame) => console.log(String(frame)));
