const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const ms = require("ms");

const started = Date.now();
const file = (name) => fs.readFileSync(path.join(__dirname, name), "utf8");
const server = http.createServer((request, response) => {
  console.log(request.method, request.url);
  if (request.url === "/") response.end(file("greeting.txt"));
  else if (request.url === "/built") response.end(file("built.txt"));
  else if (request.url === "/uptime") response.end(ms(Date.now() - started));
  else if (request.url.startsWith("/env/")) response.end(process.env[request.url.slice(5)] || "");
  else response.writeHead(404).end("nothing here");
});
server.listen(process.env.PORT, "0.0.0.0", () => console.log("listening on", process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
