"""The text formats: ``notice.html``, a saved web page; ``faq.md``; ``notes.txt``."""

from __future__ import annotations

import base64

from tests.make_samples.pictures import lane_plan

NOTICE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Works at Halvane Pier, spring 2025 | Halvane Sound Ferry Cooperative</title>
<link rel="canonical" href="https://ferries.halvane.example/notices/halvane-pier-2025">
<style>body {{ font-family: sans-serif; }} table {{ border-collapse: collapse; }} td {{ border: 1px solid; }}</style>
<script>window.dataLayer = [];</script>
</head>
<body>
<header>
<nav>
<ul>
<li><a href="/timetables">Timetables</a></li>
<li><a href="/tickets">Tickets</a></li>
<li><a href="/notices">Notices</a></li>
<li><a href="/members">Members</a></li>
</ul>
</nav>
</header>
<main>
<article>
<h1>Works at Halvane Pier, spring 2025</h1>
<p>Published on 20 February 2025 by the harbour office.</p>
<p>The linkspan of Halvane Pier is being replaced. From Monday 17 March to Friday 11 April 2025 only one ship at a
time can berth there. The new linkspan is rated for lorries of 44 tonnes; the old one was limited to 32 tonnes.</p>
<h2>What changes</h2>
<h3>Route H1</h3>
<p>Departures from Marrowick are every 90 minutes instead of every 60 minutes. The 12:00 sailing does not run.</p>
<h3>Route H3</h3>
<p>Ships to Brackholm leave from the fishing harbour, 700 metres east of the pier. They do not take vehicles longer than
6.5 metres.</p>
<table>
<caption>First and last departures during the works</caption>
<thead>
<tr><th rowspan="2">Route</th><th rowspan="2">From</th>
<th colspan="2">Monday to Saturday</th><th colspan="2">Sunday</th></tr>
<tr><th>First</th><th>Last</th><th>First</th><th>Last</th></tr>
</thead>
<tbody>
<tr><th rowspan="2">H1</th><td>Marrowick</td><td>06:00</td><td>21:00</td><td>07:30</td><td>19:30</td></tr>
<tr><td>Halvane</td><td>07:10</td><td>22:10</td><td>08:40</td><td>20:40</td></tr>
<tr><th rowspan="2">H3</th><td>Halvane</td><td>06:45</td><td>18:15</td><td colspan="2">No service</td></tr>
<tr><td>Brackholm</td><td>07:35</td><td>19:05</td><td colspan="2">No service</td></tr>
</tbody>
</table>
<figure>
<img src="data:image/png;base64,{picture}" alt="Plan of the pier seen from above with three boarding lanes">
<figcaption>Boarding lanes on the pier: lane 2 is closed during the works.</figcaption>
</figure>
<h2>Tickets</h2>
<ul>
<li>Tickets for cancelled sailings are valid on any other sailing of the same day.</li>
<li>Refunds are paid until 30 April 2025, without a fee.</li>
<li>Commuter passes are extended by 10 days.</li>
</ul>
<h2>Noise</h2>
<p>Piles are driven from 25 to 28 March between 08:00 and 17:00. There is no night work. The works cost €1.9 million, of
which the region pays 60 percent.</p>
</article>
</main>
<aside>
<h2>Most read</h2>
<ul>
<li><a href="/notices/dogs">Dogs on board</a></li>
<li><a href="/notices/app">Our new app</a></li>
</ul>
</aside>
<footer>
<p>Cookie settings</p>
<p>All rights reserved. Follow us on the radio every morning.</p>
</footer>
</body>
</html>
"""

FAQ = """# Passenger questions

Answers to what the ticket office is asked most often. Updated on 3 January 2025.

## Tickets and fares

Fares rose on 1 January 2025, for the first time since 2022. Tickets bought in 2024 stay valid until 31 March 2025.

| Single ticket | Fare 2024 | Fare 2025 |
|---|---|---|
| Adult, H1 | €7.20 | €7.60 |
| Adult, H2 | €7.80 | €8.20 |
| Adult, H3 | €5.40 | €5.60 |
| Adult, H4 | €9.10 | €9.50 |
| Car up to 5 m, H1 | €21.00 | €22.50 |
| Car up to 5 m, H2 | €23.50 | €24.80 |

Children under 7 travel free. Members of the cooperative get 15 percent off every single ticket, but not off passes.

### Booking by text message

Send the route, the date, the time and the number of adults, children and cars to the booking number:

```
FERRY H2 2025-06-14 08:15 2A 1C 1V
```

The answer holds a code of six letters. Without an answer within 10 minutes nothing is booked.

## Bicycles and luggage

Bicycles travel free on all routes. An electric bicycle needs a place on the car deck, of which there are:

- 24 on ES Guillemot
- 30 on MV Storm Petrel
- 12 on MV Eider
- none on MV Kittiwake

## Dogs

Dogs stay on a lead. They are allowed in the rear lounge and on deck, not in the restaurant.

## Missed and cancelled sailings

1. A missed ticket can be used once more within 24 hours.
2. If we cancel, you get the fare back and a voucher of €5.
3. After a delay of more than 60 minutes half of the fare is paid back.
"""

NOTES = """HARBOUR USERS' MEETING

Marrowick, 12 March 2025, 18:00 to 20:15. Present: 23 harbour users, Oswin Brae, harbour master Tobin Arkwell.
The minutes were written by Lene Ostrander.

Fishing berths

The fishermen asked for four more berths on the north wall. Oswin Brae said that two can be given from 1 May 2025. The
yearly rent stays at €640 for a boat of up to 10 metres and rises from €910 to €960 for longer boats.

Seaweed in the basin

In January and February 210 tonnes of seaweed were taken out of the basin, against 145 tonnes in the same months of
2024. A farm on Ostrey takes it for free. A floating barrier was tried in 2023 and did not work.

Ice plant

The ice plant made 1,380 tonnes in 2024. Its compressor failed twice. A new one has been ordered from Vestrand Cooling
and will be fitted in week 22.

Night lighting

The harbour master will have the lamps on the east mole dimmed to 40 percent after midnight. The sailing club was
against it. The next meeting is on 10 September 2025.
"""


def write_notice() -> bytes:
    """The HTML page's bytes."""
    return NOTICE.format(picture=base64.b64encode(lane_plan()).decode()).encode()


def write_faq() -> bytes:
    """The Markdown file's bytes."""
    return FAQ.encode()


def write_notes() -> bytes:
    """The plain text's bytes."""
    return NOTES.encode()
