// Under `dev`: reloads the page when the server, its content or its assets have changed. Waits while the server is away.
let known;

async function look() {
  try {
    const answer = await fetch("/dev/version", { cache: "no-store" });
    if (answer.ok) {
      const version = await answer.text();
      if (known !== undefined && known !== version) {
        location.reload();
        return;
      }
      known = version;
    }
  } catch {
    // The server is being restarted.
  }
  setTimeout(look, 700);
}

look();
