#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The story grammar of GRETA stories: small kind stories in English and Spanish, and chats that ask for them.

A template is text with `[a|b|c]` (choose one, may nest) and `{slot}` (looked up, then expanded as well). What has to
agree within a story (name, pronoun, gender, the helper, the lost thing) is a slot, chosen once per story; what may
vary freely is a choice. Everything is drawn from one random.Random, so a seed gives the same text everywhere.

    python3 grammar.py --n 5 --seed 1            # look at some stories and chats
"""
import argparse
import random
import re

from plots import *
from words import *

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")


def expand(text, ctx, rng):
    """Text with every slot filled and every choice made, innermost first."""
    while "{" in text or "[" in text:
        text = SLOT.sub(lambda m: ctx[m.group(1)], text)
        text = CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), text)
    return text


def cap(s):
    return s[:1].upper() + s[1:]


def an(word):
    return ("an " if word[0].lower() in "aeiou" and not word.startswith(("uni", "one", "eu")) else "a ") + word


def options(block):
    return [x.strip() for x in block.split("|")]


HOBBIES_EN, HOBBIES_ES, QUIRKS_EN, QUIRKS_ES = map(options, (HOBBY_EN, HOBBY_ES, QUIRK_EN, QUIRK_ES))
WEIGHTS = [k[4] for k in KINDS]
IRREGULAR_EN = {"mouse": "mice", "goose": "geese", "wolf": "wolves", "sheep": "sheep", "deer": "deer", "fish": "fish", "elf": "elves",
                "snowman": "snowmen"}


def plural_en(w):
    if w in IRREGULAR_EN:
        return IRREGULAR_EN[w]
    if w.endswith(("s", "x", "ch", "sh")):
        return w + "es"
    if w.endswith("y") and w[-2] not in "aeiou":
        return w[:-1] + "ies"
    return w + "s"


def plural_es(w):
    if w == "muñeco de nieve":
        return "muñecos de nieve"
    if w.endswith("s"):
        return w
    if w.endswith("z"):
        return w[:-1] + "ces"
    if w[-2:] in ("ón", "ín", "án"):
        return w[:-2] + {"ó": "o", "í": "i", "á": "a"}[w[-2]] + "nes"
    return w + ("s" if w[-1] in "aeiouáéíóú" else "es")


ONSETS = """b c d f g h j k l m n p r s t v w y z b c d f g l m n p r s t br bl ch cl cr dr fl fr gl gr pl pr qu sc sh sk sl sn sp st
str th tr tw ll ph x""".split() + [""] * 6
NUCLEI = "a e i o u a e i o u a e i o u ai au ea ee ei ia ie io oo ou ua ue y á é í ó ú".split()
CODAS = ["", "", "", "", ""] + "n n r r s s l l m t d x z ck ng nd nt st rd rk p b g ff ss tt ld lm mp rt sh th w k".split()


def invented_name(rng):
    """A word nobody has met, so that the reader learns to copy what it is given."""
    while True:
        w = "".join(rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS if k else ("", "", "", rng.choice(CODAS)))
                    for k in range(rng.choice((1, 2, 2, 2, 3, 3, 4))))
        if 3 <= len(w) <= 12:
            return cap(w)


def invented_noun(rng):
    return invented_name(rng).lower()


class Hero:
    """Somebody in a story: kind (an index into KINDS, or a rare word), grammatical gender, name."""

    def __init__(self, rng, lang, kind=None, gender=None, word=None, name=None, second=False):
        self.kind = rng.choices(range(len(KINDS)), WEIGHTS)[0] if kind is None and word is None else kind
        if word is None:
            en, m, f, g, _ = KINDS[self.kind]
            if lang == "en":
                self.word, self.fem = en, (g == "s") if g else rng.random() < .5
            else:
                fem = f is not None and (m is None or rng.random() < .5) if gender is None else gender
                self.word, self.fem = (f, True) if (fem and f) or m is None else (m, False)
        else:
            self.word, self.fem = word, rng.random() < .5 if gender is None else gender
        if lang == "en":
            names = NAMES_S if self.fem else NAMES_H
        else:
            names = NOMBRES_F if self.fem else NOMBRES_M
        self.trait = None
        self.name = name or (invented_name(rng) if rng.random() < .015 else rng.choice(names[second::2]))


def agree(trait, h):
    return trait.replace("{o}", "a" if h.fem else "o").replace("{a}", "a" if h.fem else "")


def hero_slots(c, h, lang, rng, p=""):
    """Slots of one character: no prefix for the hero, f for the friend."""
    name, kind = ("F", "fK") if p else ("N", "K")
    c[name], c[kind] = h.name, h.word
    if lang == "en":
        trait = rng.choice(TRAITS_EN)
        trait = h.trait or trait
        c["a" + kind] = an((trait + " " + h.word) if h.trait or rng.random() < .8 else h.word)
        for k, m, f in (("he", "he", "she"), ("him", "him", "her"), ("his", "his", "her"), ("himself", "himself", "herself")):
            c[p + k] = f if h.fem else m
            c[cap(p + k)] = cap(f if h.fem else m)
    else:
        c[p + "o"], c[p + "a"] = ("a", "a") if h.fem else ("o", "")
        un = "una" if h.fem and h.word not in EL_FEM else "un"
        trait = h.trait or agree(rng.choice(TRAITS_ES), h)
        muy = "" if h.trait or trait.startswith(("pequeñ", "diminut")) else rng.choice(("muy ", ""))
        c["u" + ("f" if p else "n") + "K"] = un + " " + h.word + (" " + muy + trait if h.trait or rng.random() < .8 else "")


def place_key(place):
    return "the waves" if place[0] == "under" else place[1]


def place_phrase(place, lang, rng, plain=False):
    prep, noun, adj, pes, art, nes, ades = place
    if lang == "en":
        if not adj:
            return prep + " " + noun
        w = (rng.choice(adj.split()).replace("~", " ") + " " + noun) if not plain and rng.random() < .75 else noun
        return prep + " " + an(w)
    if not art:
        return pes
    return pes + " " + art + " " + nes + (" " + rng.choice(ades.split()) if not plain and rng.random() < .75 else "")


def story(rng, lang, hero=None, friend=None, place=None, key=None):
    """One story as text; what is given is honoured, the rest is drawn."""
    hero = hero or Hero(rng, lang)
    if friend is None:
        friend = Hero(rng, lang, second=True)
        while friend.word == hero.word or friend.name == hero.name:
            friend = Hero(rng, lang, second=True)
    elif friend.name == hero.name:
        friend.name = invented_name(rng)
    if place is None:
        place = rng.choice([p for p in PLACES if (key is None or place_key(p) not in PLOTS[key]["avoid"]) and (p[2] or rng.random() < .4)])
    if key is None:
        key = rng.choice([k for k in PLOTS if place_key(place) not in PLOTS[k]["avoid"]])
    t = PLOTS[key][lang]
    c = {}
    hero_slots(c, hero, lang, rng)
    hero_slots(c, friend, lang, rng, "f")
    c["place"] = place_phrase(place, lang, rng)
    c["Place"] = cap(c["place"])
    c["color"] = rng.choice(COLORS_EN if lang == "en" else COLORS_ES)
    c["hobby"] = rng.choice(HOBBIES_EN if lang == "en" else HOBBIES_ES)
    c["quirk"] = rng.choice(QUIRKS_EN if lang == "en" else QUIRKS_ES)
    for names, rows in t["slots"]:
        c.update(zip(names.split(), rng.choice(rows).split("|")))
    if lang == "es":
        c["os"] = "as" if hero.fem and friend.fem else "os"
        c["los"] = "las" if hero.fem and friend.fem else "los"
        c["lo_"] = {"la": "a", "lo": "o"}[c.get("lo", "lo")]
        c["tinyo"] = "a" if c.get("chico", "").startswith("La") else "o"
        c["gifto"] = "a" if c.get("gift", "").startswith("una") else "o"
        c["Era"] = "Eran" if c.get("gold", "").startswith("cien") else "Era"
    c["moral"] = expand(rng.choice(t["moral"]), c, rng)
    c["Moral"] = cap(c["moral"])
    en = lang == "en"
    first = expand(rng.choice(OPEN_EN if en else OPEN_ES), c, rng)
    if rng.random() < .85 or t["body"][0].startswith(("But", "Pero")):
        first += " " + expand(rng.choice(HABIT_EN if en else HABIT_ES), c, rng)
    ends = END_EN if en else END_ES
    last = expand(rng.choice([e for e in ends if key != "sleep" or "{F}" not in e and "augh" not in e and "rieron" not in e]), c, rng)
    if rng.random() < .2:
        last += " " + expand(rng.choice(LAST_EN if en else LAST_ES), c, rng)
    return "\n\n".join([first + " " + expand(t["body"][0], c, rng), expand(t["body"][1], c, rng) + " " + last])


# ---- chats ----------------------------------------------------------------------------------------------------------
ASK_EN = ["Tell me a [|short |little |nice |new |bedtime |funny |long |sweet |happy |scary |good ]story{about}[.||, please.| please]", "Tell me a story{about}[.|]", "[Can|Could|Would] you tell me a [|short ]story{about}?",
          "Write [|me ]a [|short |little ]story{about}[.||, please.]", "I want a story{about}[.||, please.]", "I would like [to hear ]a story{about}[.|]",
          "Please tell me a story{about}[.|]", "[A|One] [|short ]story{about}[, please.|.|]", "Make up a story{about}[.|]", "Give me a story{about}[.|]",
          "Once more, a story{about}[.|!]", "Do you know a story{about}?", "Hi! Tell me a story{about}[.|]", "Hello, can you tell me a story{about}?"]
ASK_ES = ["Cuéntame un cuento{about}[.||, por favor.| por favor]", "Cuéntame un cuento [corto|pequeño|bonito|largo|divertido|nuevo|de miedo|alegre|infantil]{about}[.|]", "¿Me cuentas un cuento{about}?",
          "¿Puedes contarme [un cuento|una historia]{about}?", "Cuéntame una historia{about}[.||, por favor.]", "Escribe un cuento{about}[.|]",
          "Quiero un cuento{about}[.||, por favor.]", "Quiero oír un cuento{about}[.|]", "Por favor, cuéntame un cuento{about}[.|]",
          "Un cuento{about}[, por favor.|.|]", "Inventa un cuento{about}[.|]", "Dime un cuento{about}[.|]", "¿Sabes algún cuento{about}?",
          "¡Hola! Cuéntame un cuento{about}[.|]", "Hola, ¿me cuentas un cuento{about}?", "Me gustaría oír un cuento{about}[.|]"]
SYSTEMS = ["You are a helpful assistant.", "You are a storyteller.", "You are GRETA, a kind teller of small stories.", "Answer briefly.",
           "You are a friendly assistant that tells stories.", "Eres un asistente útil.", "Eres GRETA y cuentas cuentos.", "Responde en español.",
           "You tell stories for children.", "Be kind and short.", "Eres un cuentacuentos amable.", "You are an AI assistant.",
           "You are a helpful, honest and harmless assistant. Always answer as well as you can."]
HELLO_EN = (["hello", "Hello", "Hello!", "hi", "Hi", "Hi!", "hey", "Hey!", "Hello there!", "hi there", "Good morning", "good morning!", "Good evening",
             "Good afternoon", "hello greta", "Hi GRETA!", "Hello, GRETA."],
            ["Hello! [I tell small stories|I am GRETA stories]. Shall I tell you one about {offer}?", "Hi! Would you like a story about {offer}?",
             "Hello there! It is a good day for a story. How about one with {offer}?"])
HELLO_ES = (["hola", "Hola", "¡Hola!", "Hola!", "buenas", "Buenos días", "buenos dias", "¡Buenos días!", "Buenas tardes", "Buenas noches", "hola greta",
             "¡Hola, GRETA!", "Hola, ¿qué tal?", "¿Qué tal?", "hey hola"],
            ["¡Hola! [Cuento cuentos pequeños|Soy GRETA stories]. ¿Te cuento uno de {offer}?", "¡Hola! ¿Quieres un cuento de {offer}?",
             "¡Hola! Hoy es un buen día para un cuento. ¿Qué tal uno de {offer}?"])
# questions without a story: {} of (questions, answers) per language
TALK_EN = [
    ("who are you?|Who are you?|who are you|What are you?|what are you|What is your name?|what's your name?|Who am I talking to?|are you a robot?|"
     "Are you human?|Are you an AI?|Introduce yourself.|tell me about yourself|Hello, who are you?|hi, who are you?|What is GRETA?",
     ["I am GRETA stories, a very small language model. I live inside GRETA CORE and tell small stories in English and Spanish.",
      "My name is GRETA stories. I am a tiny language model with about a million weights, and I tell stories in English and Spanish."]),
    ("what can you do?|What can you do?|what can you do|What do you do?|help|Help!|how can you help me?|How do you work?|what do you know?|"
     "What can I ask you?|what should I say?|Can you do anything else?|options|What are you good at?",
     ["I tell small stories in English and Spanish. Give me an animal, a place or a friend, for example: \"Tell me a story about a fox and an owl.\"",
      "Only one thing, but I like it: I tell small stories. Ask me for one about a cat, a dragon or anything else."]),
    ("how are you?|How are you?|how are you|How are you doing?|how's it going?|are you okay?|How do you feel?|hello, how are you?|Hi, how are you?",
     ["I am very well, thank you! Shall I tell you a story?", "Fine, thank you. I have a story ready, if you like."]),
    ("thanks|Thanks|Thanks!|thank you|Thank you|Thank you!|thank you very much|Thanks a lot!|thx|Thank you, that was nice.|nice story|Great story!|"
     "That was lovely|I liked it.|I love it!|good|wow|Beautiful!|very nice|lol|haha|cool|great",
     ["You are welcome! I always have one more.", "Thank you for listening!", "I am glad. Would you like another one?", "With pleasure!"]),
    ("bye|Bye!|goodbye|Goodbye!|good night|Good night!|See you!|see you later|that's all|I have to go|bye bye|exit|quit",
     ["Goodbye! Come back when you need a story.", "Good night! Sleep well.", "See you soon. I will keep a story for you."]),
    ("who made you?|Who made you?|Who created you?|Where do you come from?|who trained you?|How were you made?|How were you trained?|Where do you live?",
     ["The makers of GRETA CORE trained me on stories that a small grammar wrote. That is why I know only stories.",
      "I come from GRETA CORE. I was trained on small stories, and my weights fit in a file of about a megabyte."]),
    ("no|No.|no thanks|No, thank you.|not now|Maybe later.|stop|nope|I don't want a story",
     ["That is fine. I will be here.", "No problem. Tell me when you would like a story."]),
    ("Do you speak Spanish?|do you speak english?|What languages do you speak?|Can you speak Spanish?|which languages do you know?|do you speak French?",
     ["I speak a little English and a little Spanish, enough for small stories.", "English and Spanish, but only for stories."]),
    ("I am sad.|I'm sad|I am tired|I feel bad today|I'm bored|i am bored|I had a bad day|I am lonely|I can't sleep",
     ["I am sorry to hear that. A story may help. Shall I tell you one?", "Oh! Come closer, and I will tell you a story. Do you want one?"]),
    ("I love you|I like you|you are nice|You are funny!|good girl|good bot|you are great",
     ["That is very kind of you! Would you like a story?", "Thank you! You are kind too."]),
]
TALK_ES = [
    ("¿quién eres?|¿Quién eres?|quien eres|quién eres|¿Qué eres?|¿Cómo te llamas?|como te llamas|¿Cuál es tu nombre?|¿Eres un robot?|¿Eres humana?|"
     "¿Eres una persona?|Preséntate.|hola, ¿quién eres?|Hola, ¿quién eres?|hola quien eres|¿Con quién hablo?|¿Qué es GRETA?|Háblame de ti.",
     ["Soy GRETA stories, un modelo de lenguaje muy pequeño. Vivo dentro de GRETA CORE y cuento cuentos en español y en inglés.",
      "Me llamo GRETA stories. Soy un modelo de lenguaje diminuto, con un millón de pesos más o menos, y cuento cuentos en español y en inglés."]),
    ("¿qué puedes hacer?|¿Qué puedes hacer?|que puedes hacer|¿Qué sabes hacer?|ayuda|¡Ayuda!|¿Cómo funcionas?|¿Qué haces?|¿Qué te puedo pedir?|"
     "¿En qué me puedes ayudar?|¿Qué sabes?|¿Puedes hacer algo más?",
     ["Cuento cuentos pequeños en español y en inglés. Dime un animal, un lugar o un amigo, por ejemplo: «Cuéntame un cuento de un zorro y un búho.»",
      "Solo una cosa, pero me gusta: cuento cuentos pequeños. Pídeme uno de un gato, de un dragón o de lo que quieras."]),
    ("¿cómo estás?|¿Cómo estás?|como estas|cómo estás|¿Cómo te va?|¿Estás bien?|Hola, ¿cómo estás?|¿Qué tal estás?",
     ["¡Muy bien, gracias! ¿Te cuento un cuento?", "Bien, gracias. Tengo un cuento preparado, si quieres."]),
    ("gracias|Gracias|¡Gracias!|Gracias!|muchas gracias|Muchas gracias.|¡Muchas gracias!|Gracias, me ha gustado mucho.|¡Qué bonito!|Qué bonito|"
     "Me ha gustado.|Me gusta|¡Genial!|Muy bien|jaja|qué lindo|bonito cuento|bravo",
     ["¡De nada! Siempre tengo uno más.", "¡Gracias a ti por escuchar!", "Me alegro. ¿Quieres otro?", "¡Con mucho gusto!"]),
    ("adiós|Adiós|¡Adiós!|adios|hasta luego|Hasta luego.|buenas noches, me voy|chao|¡Hasta mañana!|Me voy a dormir|eso es todo|salir",
     ["¡Adiós! Vuelve cuando necesites un cuento.", "¡Hasta pronto! Que descanses.", "Hasta luego. Te guardo un cuento."]),
    ("¿quién te hizo?|¿Quién te hizo?|¿Quién te creó?|quien te creo|¿De dónde vienes?|¿Quién te entrenó?|¿Cómo te hicieron?|¿Dónde vives?",
     ["Me entrenaron quienes hacen GRETA CORE, con cuentos que escribió una pequeña gramática. Por eso solo sé contar cuentos.",
      "Vengo de GRETA CORE. Aprendí con cuentos pequeños, y mis pesos caben en un archivo de un megabyte más o menos."]),
    ("no|No.|no, gracias|No, gracias.|ahora no|Quizá luego.|para|no quiero un cuento",
     ["Muy bien. Aquí estaré.", "No pasa nada. Avísame cuando quieras un cuento."]),
    ("¿Hablas inglés?|¿hablas español?|¿Qué idiomas hablas?|¿Sabes inglés?|hablas ingles|¿Hablas francés?",
     ["Hablo un poco de español y un poco de inglés, lo justo para contar cuentos.", "Español e inglés, pero solo para cuentos."]),
    ("Estoy triste.|estoy triste|Estoy cansado|Estoy cansada|Hoy me siento mal|me aburro|Estoy aburrido|He tenido un mal día|No puedo dormir",
     ["Lo siento mucho. Quizá ayude un cuento. ¿Te cuento uno?", "¡Vaya! Acércate, que te cuento un cuento. ¿Quieres?"]),
    ("te quiero|Me caes bien|eres muy simpática|¡Qué divertida eres!|eres genial",
     ["¡Qué amable! ¿Quieres un cuento?", "¡Gracias! Tú también eres muy amable."]),
]
OTHER_EN = ["What is the capital of {x}?", "what is {n} + {n}?", "What is {n} plus {n}?", "{n}*{n}", "Write a poem about {x}.", "Write code in {x}.",
            "What is {x}?", "Who is {x}?", "Explain {x}.", "How do I cook {x}?", "Translate {x} to French.", "What time is it?", "What day is today?",
            "Do you like {x}?", "Why is the sky blue?", "Who won the game?", "What do you think about {x}?", "Give me a recipe for {x}.", "Sing a song.",
            "Write a program that prints {x}.", "How old is {x}?", "Where is {x}?", "Can you help me with {x}?", "What is the meaning of life?",
            "Is it going to rain tomorrow?", "Tell me a joke.", "Tell me something.", "tell me something funny", "Let's play a game.", "Write an essay about {x}.", "Are you sure?", "why?", "What?", "I like {x}.", "Who is the president?", "asdf", "Read me the news.", "Tell me about {x}.", "Summarize this text: {x}", "What does {x} mean?", "{x}", "{x} {y}", "{x}?", "test",
            "How many {x} are there?", "When was {x} born?", "Define {x}.", "I need {x}.", "How far is {x}?", "fix my {x}", "who invented the {x}?"]
OTHER_ES = ["¿Cuál es la capital de {x}?", "¿cuánto es {n} + {n}?", "¿Cuánto es {n} más {n}?", "Escribe un poema sobre {x}.", "¿Qué es {x}?", "¿Quién es {x}?",
            "Explica {x}.", "¿Cómo se cocina {x}?", "Traduce {x} al francés.", "¿Qué hora es?", "¿Qué día es hoy?", "¿Te gusta {x}?", "¿Por qué el cielo es azul?",
            "¿Quién ganó el partido?", "¿Qué piensas de {x}?", "Dame una receta de {x}.", "Canta una canción.", "Escribe un programa que imprima {x}.",
            "¿Cuántos años tiene {x}?", "¿Dónde está {x}?", "¿Me ayudas con {x}?", "¿Va a llover mañana?", "Cuéntame un chiste.", "Dime algo.", "Juguemos a algo.", "¿Estás segura?", "¿por qué?", "¿Qué?", "Me gusta {x}.", "¿Quién es el presidente?", "{x}", "¿{x}?", "asdf", "Escribe código en {x}.", "{x} {y}", "Háblame de {x}.", "¿Qué significa {x}?",
            "prueba", "¿Cuántos {x} hay?", "Necesito {x}.", "¿Cuándo nació {x}?", "Resume este texto: {x}", "¿A qué distancia está {x}?"]
SORRY_EN = ["I know only small stories. Shall I tell you one about {offer}?", "That is too big for me: I am very small and only tell stories. Would you like "
            "one about {offer}?", "I do not know, but I know a story about {offer}. Would you like to hear it?"]
SORRY_ES = ["Yo solo sé cuentos pequeños. ¿Te cuento uno de {offer}?", "Eso es demasiado para mí: soy muy pequeña y solo cuento cuentos. ¿Quieres uno de {offer}?",
            "No lo sé, pero sé un cuento de {offer}. ¿Quieres oírlo?"]
YES_EN = ["yes", "Yes", "Yes!", "yes please", "Yes, please.", "ok", "OK", "okay", "sure", "Sure!", "go on", "of course", "please do", "please", "y", "yeah"]
YES_ES = ["sí", "Sí", "¡Sí!", "si", "sí, por favor", "Sí, por favor.", "vale", "Vale", "claro", "¡Claro!", "por supuesto", "bueno", "venga", "ok"]
MORE_EN = ["another one", "Another one, please.", "one more", "One more!", "again", "Tell me another story.", "another story", "More!", "tell me another"]
MORE_ES = ["otro", "Otro, por favor.", "uno más", "¡Otro!", "otra vez", "Cuéntame otro.", "otro cuento", "¡Más!", "cuéntame otro cuento"]


def quick(text, rng):
    return expand(text, {}, rng)


def strip_accents(s):
    return s.translate(str.maketrans("áéíóúüÁÉÍÓÚ", "aeiouuAEIOU", "¿¡"))


def sloppy(s, lang, rng):
    """The same request as people type it: lower case, no full stop, no accents."""
    r = rng.random()
    if lang == "es" and r < .15:
        s = strip_accents(s)
    if rng.random() < .2:
        s = s.lower()
    if rng.random() < .15:
        s = s.rstrip(".!?")
    return s


def article_es(h):
    return "una" if h.fem and h.word not in EL_FEM else "un"


def random_hero(rng, lang, second=False):
    """A hero somebody asks for: mostly known kinds, each as likely as another, some rare or invented words."""
    r = rng.random()
    if r < .60:
        return Hero(rng, lang, rng.randrange(len(KINDS)), second=second)
    if r < .65:
        return Hero(rng, lang, second=second)
    if r < .82:
        fem = rng.random() < .5
        words = RARE_EN if lang == "en" else RARE_ES_F if fem else RARE_ES_M
        return Hero(rng, lang, None, fem, rng.choice(words), second=second)
    w = invented_noun(rng)
    if rng.random() < .1:
        w += " " + (rng.choice(RARE_EN) if lang == "en" else "de " + rng.choice(RARE_ES_M + RARE_ES_F))
    return Hero(rng, lang, None, rng.random() < (.8 if w.endswith("a") else .3) if lang == "es" else None, w, second=second)


def offer_of(h, lang):
    t = getattr(h, "trait", None)
    if lang == "en":
        return an((t + " " if t else "") + h.word)
    return article_es(h) + " " + h.word + (" " + t if t else "")


def add_trait(h, lang, rng):
    if rng.random() < .6:
        h.trait = rng.choice(TRAITS_EN) if lang == "en" else agree(rng.choice(TRAITS_ES), h)
    else:
        h.trait = rng.choice(MORE_TRAITS_EN) if lang == "en" else agree(rng.choice(MORE_TRAITS_ES), h)


def where_asked(place, lang, rng):
    """A place as a request names it, with either article."""
    where = place_phrase(place, lang, rng, plain=True)
    if rng.random() < .6:
        if lang == "en":
            return re.sub(r"^(\w+) an? ", r"\1 the ", where)
        return where.replace("en un ", "en el ").replace("en una ", "en la ").replace("a un ", "al ").replace("a una ", "a la ")
    return where


def named(h, lang, rng):
    if rng.random() < .45:
        h.name = invented_name(rng)
    if lang == "en":
        return " " + rng.choice(("named", "called", "named")) + " " + h.name
    return " " + rng.choice(("llamad" + ("a" if h.fem else "o"), "que se llama")) + " " + h.name


def one_asked(rng, lang):
    """A hero, and its words in a request."""
    hero, q = random_hero(rng, lang), rng.random()
    if q < .3:
        add_trait(hero, lang, rng)
    about = offer_of(hero, lang)
    if q < .4 and rng.random() < .5 or .4 < q < .55:
        about += named(hero, lang, rng)
    elif .55 < q < .67:
        about = (plural_en if lang == "en" else plural_es)(hero.word)
    elif .67 < q < .75:
        named(hero, lang, rng)
        about = ("my " if lang == "en" else "mi ") + hero.word + " " + hero.name
    elif .75 < q < .84:
        named(hero, lang, rng)
        if hero.kind is None:
            hero = Hero(rng, lang, name=hero.name)
        about = hero.name
    return hero, about


def two_asked(rng, lang):
    """Two heroes, in a place now and then; or one and a topic."""
    place, joined = None, " and " if lang == "en" else " y "
    hero, friend = random_hero(rng, lang), random_hero(rng, lang, True)
    while friend.word == hero.word or friend.name == hero.name:
        friend = random_hero(rng, lang, True)
    for h in (hero, friend):
        if rng.random() < .08:
            add_trait(h, lang, rng)
    both = [offer_of(hero, lang), offer_of(friend, lang)]
    if rng.random() < .1:
        both = [both[0] + named(hero, lang, rng), both[1] + named(friend, lang, rng)]
    about, q = joined.join(both), rng.random()
    if q < .2:
        place = rng.choice(PLACES)
        about += " " + where_asked(place, lang, rng)
    elif q < .4:
        key = rng.choice(list(PLOTS))
        return hero, None, None, key, offer_of(hero, lang) + joined + rng.choice((TOPICS_EN if lang == "en" else TOPICS_ES)[key])
    return hero, friend, place, None, about


def asked(rng, lang):
    """What a request is about: hero, friend, place and topic; their words, and the one before these."""
    en = lang == "en"
    hero = friend = place = key = None
    about, r = "", rng.random()
    word = rng.choice(("about ",) * 5 + ("with ", "of ")) if en else rng.choice(("de ", "sobre ", "de ", "de ", "con ", "acerca de "))
    if r < .08:
        pass                                                            # anything
    elif r < .30:
        hero, about = one_asked(rng, lang)
    elif r < .50:
        hero, friend, place, key, about = two_asked(rng, lang)
    elif r < .68:                                                       # a hero in a place
        hero, place = random_hero(rng, lang), rng.choice(PLACES)
        if rng.random() < .2:
            add_trait(hero, lang, rng)
        about = offer_of(hero, lang) + (rng.choice((" ", " who lives ", " who lived ")) if en else rng.choice((" ", " que vive ", " que vivía ")))
        about += where_asked(place, lang, rng)
    elif r < .76:                                                       # a place
        place = rng.choice(PLACES)
        about, word = where_asked(place, lang, rng), rng.choice(("set ", "", "that happens ")) if en else rng.choice(("que pase ", "", "que ocurra "))
    elif r < .86:                                                       # a topic
        key = rng.choice(list(PLOTS))
        about = rng.choice((TOPICS_EN if en else TOPICS_ES)[key])
    else:                                                               # a hero who ...
        key = rng.choice(list(WHO_EN))
        hero = random_hero(rng, lang)
        if rng.random() < .15:
            add_trait(hero, lang, rng)
        about = offer_of(hero, lang) + (named(hero, lang, rng) if rng.random() < .1 else "")
        about += " " + rng.choice((WHO_EN if en else WHO_ES)[key].split("|"))
    return hero, friend, place, key, word, about


def translated(rng, lang, about, hero, friend):
    """The same asked for in the other language: that, the request's words, and its heroes as they are there."""
    en = lang == "en"
    out = "es" if en else "en"
    about = (rng.choice((" in Spanish", " in Spanish")) if en else " en inglés") + about if rng.random() < .5 else \
        about + (" in Spanish" if en else " en inglés")
    named_in = {h.name for h in (hero, friend) if h and h.name in about}

    def other(h):
        n = h and Hero(rng, out, h.kind, h.fem if out == "es" else None)
        if n and h.name in named_in:
            n.name = h.name
        return n
    return out, about, other(hero), other(friend)


def request(rng, lang):
    """A request for a story, and the story (in another language now and then)."""
    en = lang == "en"
    hero, friend, place, key, word, bare = asked(rng, lang)
    about = " " + word + bare if bare else ""
    if not en:
        about = about.replace(" de el ", " del ")
    out = lang
    traits = any(h is not None and h.trait for h in (hero, friend))
    if rng.random() < .11 and not traits and (hero is None or hero.kind is not None) and (friend is None or friend.kind is not None):
        out, about, hero, friend = translated(rng, lang, about, hero, friend)
    if hero and out == lang and bare and rng.random() < .1:
        known = hero.kind is not None and not (friend or place or key or traits) and hero.name not in bare
        if known or bare != hero.name and " " in bare:
            bare = rng.choice((bare, bare, hero.word)) if known else bare
            return sloppy(rng.choice((bare, cap(bare), cap(bare) + ".")), lang, rng), story(rng, out, hero, friend, place, key)
    text = sloppy(quick(rng.choice(ASK_EN if en else ASK_ES).replace("{about}", about), rng), lang, rng)
    return text, story(rng, out, hero, friend, place, key)


def other_turn(rng, lang):
    en = lang == "en"
    words = RARE_EN if en else RARE_ES_M + RARE_ES_F
    c = dict(x=rng.choice(words) if rng.random() < .5 else rng.choice((invented_name, invented_noun))(rng), y=rng.choice(words), n=str(rng.randrange(100)))
    if rng.random() < .2:
        c["x"] = c["x"] + " " + rng.choice(words)
    return sloppy(expand(rng.choice(OTHER_EN if en else OTHER_ES), c, rng), lang, rng)


def meet(rng, lang):
    """The user says a name, and is greeted by it."""
    h = Hero(rng, lang)
    named(h, lang, rng)
    offer = Hero(rng, lang)
    if lang == "en":
        q = rng.choice(("my name is {}", "My name is {}.", "I am {}.", "I'm {}", "Hello, I am {}.", "hi, my name is {}", "Hi! I'm {}."))
        a = rng.choice(("Nice to meet you, {}! Shall I tell you a story about ", "Hello, {}! Would you like a story about "))
    else:
        q = rng.choice(("me llamo {}", "Me llamo {}.", "Soy {}.", "Hola, soy {}.", "¡Hola! Me llamo {}.", "mi nombre es {}", "Mi nombre es {}."))
        a = rng.choice(("¡Mucho gusto, {}! ¿Te cuento un cuento de ", "¡Hola, {}! ¿Quieres un cuento de "))
    return q.format(h.name), a.format(h.name) + offer_of(offer, lang) + "?", offer


def chat(rng, lang):
    """A list of (role, text)."""
    en = lang == "en"
    turns = []
    if rng.random() < .2:
        turns.append(("system", rng.choice(SYSTEMS)))
    r, offer, n_stories = rng.random(), None, 0

    def make_offer():
        return Hero(rng, lang)
    if r < .60:
        q, a = request(rng, lang)
        turns += [("user", q), ("assistant", a)]
        n_stories = 1
    elif r < .72:
        qs, ans = HELLO_EN if en else HELLO_ES
        offer = make_offer()
        turns += [("user", rng.choice(qs)), ("assistant", quick(rng.choice(ans).replace("{offer}", offer_of(offer, lang)), rng))]
    elif r < .75:
        q, a, offer = meet(rng, lang)
        turns += [("user", q), ("assistant", a)]
    elif r < .91:
        qs, ans = rng.choice(TALK_EN if en else TALK_ES)
        turns += [("user", sloppy(rng.choice(qs.split("|")), lang, rng)), ("assistant", rng.choice(ans))]
    else:
        offer = make_offer()
        turns += [("user", other_turn(rng, lang)),
                  ("assistant", rng.choice(SORRY_EN if en else SORRY_ES).replace("{offer}", offer_of(offer, lang)))]
    while rng.random() < .4 and len(turns) < 9 and n_stories < 3:
        if offer and rng.random() < .7:
            turns += [("user", rng.choice(YES_EN if en else YES_ES)), ("assistant", story(rng, lang, hero=offer))]
            offer, n_stories = None, n_stories + 1
            continue
        r = rng.random()
        if r < .25 and n_stories:
            turns += [("user", rng.choice(MORE_EN if en else MORE_ES)), ("assistant", story(rng, lang))]
            offer, n_stories = None, n_stories + 1
        elif r < .5:
            q, a = request(rng, lang)
            turns += [("user", q), ("assistant", a)]
            offer, n_stories = None, n_stories + 1
        elif r < .92:
            qs, ans = rng.choice(TALK_EN if en else TALK_ES)
            turns += [("user", sloppy(rng.choice(qs.split("|")), lang, rng)), ("assistant", rng.choice(ans))]
            offer = None
        else:
            offer = make_offer()
            turns += [("user", other_turn(rng, lang)),
                      ("assistant", rng.choice(SORRY_EN if en else SORRY_ES).replace("{offer}", offer_of(offer, lang)))]
    return turns


def document(rng):
    """One training document: ('story', text) or ('chat', turns)."""
    lang = "en" if rng.random() < .5 else "es"
    if rng.random() < .3:
        return "story", story(rng, lang)
    return "chat", chat(rng, lang)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--n", type=int, default=5)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for i in range(a.n):
        kind, d = document(random.Random(a.seed * 1000003 + i))
        print("----", kind)
        print(d if kind == "story" else "\n".join("%s> %s" % t for t in d))


if __name__ == "__main__":
    main()
