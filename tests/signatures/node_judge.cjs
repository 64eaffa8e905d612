// What Twilio's Node.js library says of each case on standard input: true or false, a line each.
const readline = require("node:readline");
const twilio = require(`${process.env.NODE_MODULES}/twilio`);

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { media, url, body, token, signature } = JSON.parse(line);
    const parameters = Object.create(null);
    if (media === "form") {
        for (const [name, value] of new URLSearchParams(body)) {
            if (name in parameters) parameters[name].push(value);
            else parameters[name] = [value];
        }
    }
    const says =
        media === "json"
            ? twilio.validateRequestWithBody(token, signature, url, body)
            : twilio.validateRequest(token, signature, url, parameters);
    console.log(String(says));
});
