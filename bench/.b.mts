import { nodeNetwork } from '../src/adapters/node/index.ts';
import { echo } from '../src/streams/index.ts';
import { createServer, connect } from 'node:net'; import {once} from 'node:events';
const n = nodeNetwork(); const CHUNK=new Uint8Array(65536);
async function raw(port){ const c=connect(port,'127.0.0.1').setNoDelay().resume(); await once(c,'connect'); for(let i=0;i<8192;i++) if(!c.write(CHUNK)) await once(c,'drain'); c.end(); await once(c,'close'); }
async function ours(port){ const c=await n.connect({host:'127.0.0.1',port}); c.bytes$.subscribe();  for(let i=0;i<8192;i++) await c.write(CHUNK); await c.end(); await c.closed;}
const servers={
 raw: async()=>{const s=createServer({allowHalfOpen:true},k=>k.setNoDelay().pipe(k)).listen(0,'127.0.0.1'); await once(s,'listening'); return [s.address().port,()=>s.close()]},
 loop: async()=>{const s=await n.listen({address:'127.0.0.1'}); s.connections$.subscribe(async k=>{for(let c;(c=await k.read())!==null;) await k.write(c); await k.end()}); return [s.local.port,()=>s.close()]},
 echo: async()=>{const s=await n.listen({address:'127.0.0.1'}); s.connections$.subscribe(k=>echo(k).subscribe()); return [s.local.port,()=>s.close()]},
};
const sum={};
for(let r=0;r<6;r++) for(const [a,f] of Object.entries(servers)) for (const c of [raw,ours]) { const [p,x]=await f(); const t=performance.now(), u=process.cpuUsage(); await c(p); x(); const v=process.cpuUsage(u); (sum[a+' server, '+c.name+' client']??=[]).push([Math.round((v.user+v.system)/1000), Math.round(performance.now()-t)]); }
for(const k in sum) console.log(k, 'cpu', sum[k].map(x=>x[0]).sort((a,b)=>a-b).join(' '), 'wall', sum[k].map(x=>x[1]).sort((a,b)=>a-b).join(' '));
