"""Follow-up questions over the samples, made whole by rule."""

import pytest

from retrievers.followup import Said, complete

DIALOGS = [
    (
        "How many passengers did route H2 carry in 2024?",
        "H2 Marrowick-Ostrey, Passengers (thousand) › 2024: 214.5.",
        "And in 2023?",
        "How many passengers did route H2 carry in 2023?",
    ),
    (
        "How many passengers did route H2 carry in 2024?",
        "",
        "what about route H3?",
        "How many passengers did route H3 carry in 2024?",
    ),
    ("How many passengers did route H2 carry in 2024?", "", "H4?", "How many passengers did route H4 carry in 2024?"),
    (
        "How many passengers did route H2 carry in 2024?",
        "",
        "And vehicles?",
        "How many vehicles did route H2 carry in 2024?",
    ),
    (
        "How many passengers did route H2 carry in 2024?",
        "",
        "How many vehicles?",
        "How many vehicles did route H2 carry in 2024?",
    ),
    (
        "How many passengers did route H2 carry in 2024?",
        "",
        "How many vehicles did it carry?",
        "How many vehicles did route H2 carry in 2024?",
    ),
    (
        "How many passengers did route H2 carry in 2024?",
        "",
        "and the year before?",
        "How many passengers did route H2 carry in 2023?",
    ),
    ("How many passengers did route H2 carry in 2024?", "", "How long is that route?", "How long is route H2?"),
    ("How many passengers did route H2 carry in 2024?", "", "Who is the safety manager?", "Who is the safety manager?"),
    ("How many passengers did route H2 carry in 2024?", "", "And who chairs the board?", "Who chairs the board?"),
    (
        "What was revenue in 2024?",
        "Revenue rose to €48.3 million in 2024.",
        "And in 2022?",
        "What was revenue in 2022?",
    ),
    (
        "What was revenue in 2024?",
        "Revenue rose to €48.3 million in 2024.",
        "how much is that per passenger?",
        "how much is revenue per passenger in 2024?",
    ),
    (
        "What was the operating surplus in 2024?",
        "The operating surplus was €2.9 million",
        "and the year before?",
        "What was the operating surplus in 2023?",
    ),
    (
        "What was the operating surplus in 2024?",
        "The operating surplus was €2.9 million",
        "What was it in 2023?",
        "What was the operating surplus in 2023?",
    ),
    (
        "Who chairs the board?",
        "Ingrid Tollemar has chaired it since 2021; her term ends in June 2026.",
        "When does her term end?",
        "When does Ingrid Tollemar's term end?",
    ),
    (
        "Who chairs the board?",
        "Ingrid Tollemar has chaired it since 2021; her term ends in June 2026.",
        "Since when?",
        "Who chairs the board and since when?",
    ),
    (
        "Who chairs the board?",
        "Ingrid Tollemar has chaired it since 2021.",
        "How many seats does it have?",
        "How many seats does the board have?",
    ),
    (
        "Who chairs the board?",
        "Ingrid Tollemar has chaired it since 2021.",
        "How often did it meet in 2024?",
        "How often did the board meet in 2024?",
    ),
    (
        "Who is the managing director?",
        "Oswin Brae has been managing director since 1 September 2022.",
        "What did he say about berths?",
        "What did Oswin Brae say about berths?",
    ),
    (
        "Who wrote the minutes?",
        "The minutes were written by Lene Ostrander.",
        "Who signed them?",
        "Who signed the minutes?",
    ),
    (
        "Which ship sails route H4?",
        "MV Kittiwake sails route H4; it carries 120 passengers and 18 cars.",
        "How many cars does it carry?",
        "How many cars does MV Kittiwake carry?",
    ),
    ("Which ship sails route H4?", "MV Kittiwake sails route H4.", "And H3?", "Which ship sails route H3?"),
    (
        "How many life jackets does MV Storm Petrel carry?",
        "MV Storm Petrel carries 462 adult and 46 child life jackets.",
        "And ES Guillemot?",
        "How many life jackets does ES Guillemot carry?",
    ),
    (
        "How many life jackets does MV Storm Petrel carry?",
        "MV Storm Petrel carries 462 adult.",
        "How many electric bicycles can it take?",
        "How many electric bicycles can MV Storm Petrel take?",
    ),
    (
        "How many members live on Halvane?",
        "Halvane has the most members: 2,974.",
        "And on Ostrey?",
        "How many members live on Ostrey?",
    ),
    (
        "How many members live on Halvane?",
        "Halvane has the most members: 2,974.",
        "on Kelding?",
        "How many members live on Kelding?",
    ),
    (
        "How long is route H1?",
        "H1 to Halvane, 14.5 kilometres in 50 minutes",
        "What about H2?",
        "How long is route H2?",
    ),
    ("When was the cooperative founded?", "It was founded on 4 May 1987", "Why?", "Why was the cooperative founded?"),
    (
        "When was the cooperative founded?",
        "It was founded on 4 May 1987",
        "By whom?",
        "By whom was the cooperative founded?",
    ),
    (
        "When was the cooperative founded?",
        "It was founded on 4 May 1987",
        "How many members does it have?",
        "How many members does the cooperative have?",
    ),
    (
        "What caused the ramp failure on Ostrey?",
        "A burst hydraulic hose was the cause.",
        "When did it happen?",
        "When did the ramp failure on Ostrey happen?",
    ),
    (
        "What caused the ramp failure on Ostrey?",
        "A burst hydraulic hose was the cause.",
        "Was anybody hurt there?",
        "Was anybody hurt on Ostrey?",
    ),
    (
        "What does the handbook say about fog?",
        "Below 500 metres of visibility the speed is reduced",
        "and about life jackets?",
        "What does the handbook say about life jackets?",
    ),
    (
        "Are dogs allowed in the restaurant?",
        "They are allowed in the rear lounge and on deck, not in the restaurant.",
        "And on deck?",
        "Are dogs allowed on deck?",
    ),
    (
        "Are dogs allowed in the restaurant?",
        "They are allowed in the rear lounge",
        "and bicycles?",
        "Are bicycles allowed in the restaurant?",
    ),
    ("Are dogs allowed in the restaurant?", "They are allowed", "Where are they allowed?", "Where are dogs allowed?"),
    (
        "What does an adult ticket for H2 cost in 2025?",
        "",
        "And for H3?",
        "What does an adult ticket for H3 cost in 2025?",
    ),
    ("What does an adult ticket for H2 cost in 2025?", "", "and a car?", "What does a car ticket for H2 cost in 2025?"),
    (
        "What is the wind limit for MV Eider on H3 in summer?",
        "16",
        "In winter?",
        "What is the wind limit for MV Eider on H3 in winter?",
    ),
    (
        "What is the wind limit for MV Eider on H3 in summer?",
        "16",
        "and the wave limit?",
        "What is the wave limit for MV Eider on H3 in summer?",
    ),
    (
        "How much does the battery of ES Guillemot hold?",
        "The battery holds 4,300 kilowatt-hours.",
        "How is it charged?",
        "How is the battery of ES Guillemot charged?",
    ),
    (
        "What did the works at Halvane Pier cost?",
        "The works cost €1.9 million",
        "Who pays them?",
        "Who pays the works at Halvane Pier?",
    ),
    (
        "What did the works at Halvane Pier cost?",
        "The works cost €1.9 million",
        "How much of that does the region pay?",
        "How much of the works at Halvane Pier does the region pay?",
    ),
    (
        "How many votes did the share price proposal get?",
        "",
        "And the charging tower?",
        "How many votes did the charging tower get?",
    ),
    ("How many complaints were there in 2023?", "1310", "tell me more", "How many complaints were there in 2023?"),
    (
        "How many complaints were there in 2023?",
        "1310",
        "Is it allowed to bring a dog?",
        "Is it allowed to bring a dog?",
    ),
    (
        "How many complaints were there in 2023?",
        "1310",
        "When the ferry is late, who pays for it?",
        "When the ferry is late, who pays for it?",
    ),
    (
        "What is the quotation Q-2025-077 about?",
        "Second battery ferry",
        "Who sent it?",
        "Who sent the quotation Q-2025-077?",
    ),
    (
        "What is the quotation Q-2025-077 about?",
        "Second battery ferry",
        "How long is it valid?",
        "How long is the quotation Q-2025-077 valid?",
    ),
    (
        "How much ice did the ice plant make in 2024?",
        "The ice plant made 1,380 tonnes in 2024.",
        "Why did its compressor fail?",
        "Why did the ice plant's compressor fail?",
    ),
    (
        "How many tonnes of seaweed were taken out of the basin?",
        "210 tonnes",
        "what does that cost?",
        "what does the seaweed cost?",
    ),
    (
        "Which channel does Ostrey Quay use?",
        "Ostrey Quay: VHF 11",
        "And Halvane Pier?",
        "Which channel does Halvane Pier use?",
    ),
    (
        "Which channel does Ostrey Quay use?",
        "Ostrey Quay: VHF 11",
        "When is it staffed?",
        "When is Ostrey Quay staffed?",
    ),
    ("How many sailings were planned on route H1?", "", "And on H2?", "How many sailings were planned on route H2?"),
    (
        "How many sailings were planned on route H1?",
        "",
        "How many of them were cancelled?",
        "How many of the sailings on route H1 were cancelled?",
    ),
    (
        "Who chairs the board?",
        "Ingrid Tollemar has chaired it since 2021.",
        "Wer leitet die Sicherheit?",
        "Wer leitet die Sicherheit?",
    ),
    ("Who chairs the board?", "Ingrid Tollemar has chaired it since 2021.", "ferry timetable", "ferry timetable"),
    (
        "Who chairs the board?",
        "Ingrid Tollemar has chaired it since 2021.",
        "Fares for adults on H2 in 2025",
        "Fares for adults on H2 in 2025",
    ),
    (
        "How much diesel did the fleet burn in Q3 of 2024?",
        "",
        "And in Q4?",
        "How much diesel did the fleet burn in Q4 of 2024?",
    ),
    (
        "When does the first ship leave Marrowick on Sunday?",
        "07:30",
        "And the last?",
        "When does the last ship leave Marrowick on Sunday?",
    ),
    (
        "When does the first ship leave Marrowick on Sunday?",
        "07:30",
        "And on Monday?",
        "When does the first ship leave Marrowick on Monday?",
    ),
    ("What does W-05 cost?", "14,900", "And W-08?", "What does W-08 cost?"),
    (
        "How many members were there at the end of 2022?",
        "6,035",
        "and at the end of 2024?",
        "How many members were there at the end of 2024?",
    ),
]
"""The question before, its answer, the follow-up, and the full question that it stands for."""


@pytest.mark.parametrize(("asked", "answer", "question", "full"), DIALOGS)
def test_a_follow_up_is_made_whole_by_what_the_turn_before_was_about(asked, answer, question, full):
    assert complete(question, Said(question=asked, answer=answer, docs=("report.pdf",))).question == full


def test_what_was_carried_over_is_told():
    before = Said(question="How many passengers did route H2 carry in 2024?")
    assert complete("And in 2023?", before).carried
    assert not complete("Who chairs the board?", before).carried
    assert not complete("And who chairs the board?", before).carried


def test_it_is_the_document_where_it_says_something():
    before = Said(question="Who chairs the board?", docs=("report.pdf",))
    assert complete("What does it say about diesel?", before).question == "What does report.pdf say about diesel?"


VAGUE = [
    ("who signed it?", "What do you mean by \u201cit\u201d?", "the lease", "who signed the lease?"),
    ("Are they allowed on deck?", "What do you mean by \u201cthey\u201d?", "dogs", "Are dogs allowed on deck?"),
    (
        "When was she elected?",
        "Who do you mean by \u201cshe\u201d?",
        "Ingrid Tollemar",
        "When was Ingrid Tollemar elected?",
    ),
    ("And in 2023?", "What would you like to know about 2023?", "passengers on H2", "passengers on H2 in 2023?"),
    ("what about H3?", "What would you like to know about H3?", "number of cars", "number of cars for H3?"),
    ("how much?", "What is your question about?", "an adult ticket on H2", "how much for an adult ticket on H2?"),
    ("help", "What is your question about?", "the works at Halvane Pier", "the works at Halvane Pier"),
    ("tell me more", "What is your question about?", "Who chairs the board?", "Who chairs the board?"),
]


@pytest.mark.parametrize(("question", "back", "reply", "full"), VAGUE)
def test_a_vague_first_question_gets_one_back_and_is_joined_with_the_reply(question, back, reply, full):
    first = complete(question, None)
    assert first.clarify == back
    second = complete(reply, Said(question=question, clarify=back))
    assert (second.question, second.clarify) == (full, None)


@pytest.mark.parametrize(
    "question",
    [
        "Who chairs the board?",
        "Is it possible to book by text message?",
        "How long does it take to get to Kelding?",
        "What does this report say about tides?",
        "When the ferry is late, who pays for it?",
        "Does the rule that dogs stay on a lead hold on deck?",
        "passengers by route",
        "Wie viele Mitglieder hat die Genossenschaft?",
        "Recommend an add-on",
    ],
)
def test_a_question_that_stands_alone_gets_none_back(question):
    found = complete(question, None)
    assert (found.question, found.clarify, found.carried) == (question, None, False)


def test_the_reply_to_a_question_back_may_say_what_for():
    before = Said(question="Recommend an add-on", answer="Dark Reader", clarify="What should the add-on do?")
    assert complete("blocking ads", before).question == "Recommend an add-on for blocking ads"
    assert complete("that blocks ads", before).question == "Recommend an add-on that blocks ads"
    assert complete("Who chairs the board?", before).question == "Who chairs the board?"


def test_after_a_question_back_another_follow_up_is_no_reply():
    before = Said(question="What was revenue in 2024?", answer="48.3 million", clarify="Which revenue?")
    assert complete("And in 2022?", before).question == "What was revenue in 2022?"
    assert complete("what about 2023?", before).question == "What was revenue in 2023?"
    assert complete("of the fares", before).question == "What was revenue in 2024 of the fares?"
