"""What replies with drafts are measured on: texts that repeat a part of the prompt, as summaries
and edits do, and texts that do not."""

from __future__ import annotations

import base64
from dataclasses import dataclass

BREAD = (
    "Bread is one of the oldest prepared foods. Evidence from 30,000 years ago in Europe shows "
    "that people ground starchy roots on flat stones. Starch extract from the roots of plants was "
    "possibly spread on a flat rock, placed over a fire and cooked into a primitive form of "
    "flatbread. Around 10,000 BC, with the dawn of the Neolithic age and the spread of "
    "agriculture, grains became the mainstay of making bread. Yeast spores are everywhere, on the "
    "surface of cereal grains too, so any dough left to rest leavens naturally. The ancient "
    "Egyptians were the first to bake leavened bread in ovens, and Greek bakers later made more "
    "than fifty kinds of it."
)
STEAM = (
    "The first commercial steam engine was built by Thomas Newcomen in 1712 to pump water out of "
    "mines. It burned much coal, because the cylinder was cooled and heated again with each "
    "stroke. James Watt, an instrument maker in Glasgow, added a separate condenser in 1769, so "
    "that the cylinder stayed hot. His engine used a quarter of the coal. In 1804 Richard "
    "Trevithick put a high-pressure engine on wheels, and in 1825 the first public railway with "
    "steam locomotives opened between Stockton and Darlington. By 1850 Britain had more than six "
    "thousand miles of track."
)
BEES = (
    "Honey bees live in colonies of up to sixty thousand workers, a few hundred drones and one "
    "queen. The queen lays up to two thousand eggs a day. Workers clean the cells, feed the "
    "larvae, build the comb, guard the entrance and, in the last weeks of their lives, collect "
    "nectar and pollen. A forager that has found flowers dances on the comb: the angle of the "
    "dance tells the direction, its length the distance. In autumn the workers drive the drones "
    "out of the hive, and the colony lives through the winter on its honey."
)
CODE = """int sum_of_squares(const int *values, int count) {
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sum;
}

int largest(const int *values, int count) {
    int found = values[0];
    for (int i = 1; i < count; i++)
        if (values[i] > found)
            found = values[i];
    return found;
}
"""
EDIT = f"The code:\n\n{CODE}\nThe same code with long in the place of int:\n\n"
SUMMARY, REPEATED, OTHER = "summary", "edit or copy", "other"


@dataclass(frozen=True)
class Text:
    """kind: what a reply to the line is."""

    name: str
    kind: str
    line: str


def _typed(text: str) -> str:
    """What cannot be typed, for a command."""
    return "base64:" + base64.b64encode(text.encode()).decode()


TOKENS = 120  # of a reply, at most
TEXTS = (
    *(
        Text(f"{name}, {how}", SUMMARY, line)
        for name, text in (("bread", BREAD), ("steam", STEAM), ("bees", BEES))
        for how, line in (
            ("summarize", f"Summarize the following text: {text}"),
            ("in short", f"{text} Write a short summary of the text above."),
        )
    ),
    Text("key sentences", SUMMARY, f"Repeat the key sentences of this text: {BEES}"),
    Text("code edit", REPEATED, f"/complete {TOKENS} {_typed(EDIT)}"),
    Text("correction", REPEATED, f"Correct this text: {STEAM.replace('commercial', 'comercial')}"),
    Text("quotation", REPEATED, f"Quote the most important sentences word for word: {BREAD}"),
    Text("story", OTHER, "Tell me a story about a fox and a lighthouse."),
    Text("letter", OTHER, "Write a letter to my landlord about a broken heater."),
    Text("advice", OTHER, "How do I learn to play the piano as an adult?"),
)
