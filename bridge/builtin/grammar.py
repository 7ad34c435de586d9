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

# kind: English, Spanish masculine, Spanish feminine, English pronoun (h he, s she, '' either), weight of a free choice
KINDS = [
    ("cat", "gato", "gata", "", 3), ("dog", "perro", "perrita", "", 3), ("mouse", "ratón", "ratoncita", "", 2),
    ("rabbit", "conejo", "coneja", "", 2), ("fox", "zorro", None, "", 3), ("bear", "oso", "osa", "", 2),
    ("wolf", "lobo", "loba", "", 1), ("owl", "búho", None, "", 2), ("turtle", None, "tortuga", "", 2),
    ("duck", "pato", "pata", "", 1), ("frog", None, "rana", "", 2), ("hedgehog", "erizo", None, "", 2),
    ("squirrel", None, "ardilla", "", 2), ("penguin", "pingüino", "pingüina", "", 2),
    ("elephant", "elefante", "elefanta", "", 2), ("lion", "león", "leona", "", 2), ("tiger", "tigre", "tigresa", "", 1),
    ("monkey", "mono", "mona", "", 1), ("horse", "caballo", None, "", 1), ("pony", "poni", None, "", 1),
    ("cow", None, "vaca", "", 1), ("pig", "cerdito", "cerdita", "", 1), ("sheep", None, "oveja", "", 1),
    ("goat", None, "cabra", "", 1), ("hen", None, "gallina", "s", 1), ("rooster", "gallo", None, "h", .5),
    ("bee", None, "abeja", "", 1), ("ant", None, "hormiga", "", 1), ("snail", "caracol", None, "", 2),
    ("butterfly", None, "mariposa", "", 1), ("spider", None, "araña", "", 1), ("crab", "cangrejo", None, "", .5),
    ("camel", "camello", None, "", .5), ("giraffe", None, "jirafa", "", 1), ("hippo", "hipopótamo", None, "", 1),
    ("crocodile", "cocodrilo", None, "", 1), ("parrot", "loro", "lora", "", 1), ("crow", "cuervo", None, "", 1),
    ("swan", "cisne", None, "", .5), ("stork", None, "cigüeña", "", .5), ("bat", "murciélago", None, "", .5),
    ("mole", "topo", None, "", 1), ("beaver", "castor", None, "", 1), ("otter", None, "nutria", "", 1),
    ("badger", "tejón", None, "", 1), ("raccoon", "mapache", None, "", 1), ("deer", "ciervo", "cierva", "", 1),
    ("llama", None, "llama", "", 1), ("panda", "panda", None, "", 1), ("koala", "koala", None, "", .5),
    ("kangaroo", "canguro", None, "", .5), ("donkey", "burro", "burrita", "", 1), ("goose", "ganso", "gansa", "", .5),
    ("lizard", "lagarto", "lagartija", "", .5), ("firefly", None, "luciérnaga", "", 1),
    ("ladybug", None, "mariquita", "", 1), ("cricket", "grillo", None, "", 1), ("worm", "gusano", None, "", .5),
    ("bird", "pájaro", None, "", 1), ("eagle", None, "águila", "", .5), ("sparrow", "gorrión", None, "", .5),
    ("zebra", None, "cebra", "", .5), ("seal", None, "foca", "", .5), ("whale", None, "ballena", "", .3),
    ("dolphin", "delfín", None, "", .3), ("fish", "pez", None, "", .3), ("octopus", "pulpo", None, "", .3),
    ("shark", "tiburón", None, "", .3), ("dragon", "dragón", "dragona", "", 3), ("robot", "robot", None, "", 3),
    ("girl", None, "niña", "s", 3), ("boy", "niño", None, "h", 3), ("unicorn", "unicornio", None, "", 1),
    ("witch", None, "bruja", "s", 1), ("wizard", "mago", "maga", "", 1), ("knight", "caballero", None, "", 1),
    ("princess", None, "princesa", "s", 1), ("prince", "príncipe", None, "h", 1), ("king", "rey", None, "h", 1),
    ("queen", None, "reina", "s", 1), ("pirate", "pirata", "pirata", "", 1), ("giant", "gigante", "giganta", "", 1),
    ("ghost", "fantasma", None, "", 1), ("monster", "monstruo", None, "", 1), ("gnome", "gnomo", None, "", 1),
    ("elf", "elfo", "elfa", "", 1), ("fairy", None, "hada", "s", 1), ("mermaid", None, "sirena", "s", .5),
    ("troll", "trol", None, "", .5), ("baker", "panadero", "panadera", "", 1), ("sailor", "marinero", "marinera", "", 1),
    ("gardener", "jardinero", "jardinera", "", .5), ("painter", "pintor", "pintora", "", .5),
    ("farmer", "granjero", "granjera", "", .5), ("cook", "cocinero", "cocinera", "", .5),
    ("astronaut", "astronauta", "astronauta", "", 1), ("clown", "payaso", "payasa", "", .5),
    ("teacher", "maestro", "maestra", "", .5), ("doctor", "doctor", "doctora", "", .3),
    ("grandmother", None, "abuela", "s", .7), ("grandfather", "abuelo", None, "h", .7),
    ("dinosaur", "dinosaurio", None, "", 1), ("alien", "extraterrestre", None, "", .7),
    ("scarecrow", "espantapájaros", None, "", .5), ("snowman", "muñeco de nieve", None, "h", .5),
    ("teapot", None, "tetera", "", .5), ("cloud", None, "nube", "", .5), ("train", "tren", None, "", .5),
    ("doll", None, "muñeca", "s", .5), ("kite", None, "cometa", "", .4), ("puppet", None, "marioneta", "", .4),
    ("kitten", "gatito", "gatita", "", 1), ("puppy", "perrito", None, "", 1), ("toad", "sapo", None, "", .5),
]
# heroes that only a request asks for: the reader learns to copy what it has never met
RARE_EN = """toaster piano umbrella spoon pencil clock lamp chair table bicycle boat balloon button candle guitar drum violin
pumpkin carrot potato tomato onion apple pear lemon banana mushroom pancake cookie sandwich pillow blanket sock shoe hat
glove coat suitcase letter stamp book mirror window door stone pebble river mountain tree leaf flower rose tulip cactus
star planet comet rocket submarine truck tractor bus car plane moth beetle peacock pelican flamingo walrus moose bison
yak lemur sloth panther leopard cheetah lynx weasel ferret hamster gopher newt gecko iguana shrimp lobster snowflake
puddle bridge tower ship anchor barrel bucket ladder hammer plumber barber pilot nurse tailor shepherd
hunter ninja vampire mummy zombie cowboy detective inventor poet dancer singer musician computer phone keyboard camera
television radio chip processor soldier firefighter baby brother sister mother father friend uncle aunt cousin neighbor keeper
rhino gorilla ostrich seahorse jellyfish caterpillar dragonfly mosquito fly rat lamb chick turkey chicken bull buffalo
swallow robin raven hawk falcon dove pigeon seagull hummingbird bridge road wall well bell ring crown sword shield key lock
box bag cup plate fork knife bottle brick rope wheel engine satellite telescope magnet battery calculator printer
thunderstorm rainbow wind volcano iceberg sandcastle football skateboard scooter helicopter elevator refrigerator""".split()
RARE_ES_M = """tostador piano paraguas lápiz reloj barco globo botón tambor violín tomate limón plátano pastel bocadillo calcetín
zapato sombrero guante abrigo libro espejo árbol cactus planeta cometa cohete submarino camión tractor autobús coche avión
escarabajo pelícano flamenco alce bisonte lémur leopardo lince hámster tritón camarón puente martillo barril cubo
fontanero barbero piloto sastre pastor vampiro vaquero detective inventor poeta bailarín cantante músico ordenador teléfono
teclado televisor procesador soldado bombero bebé hermano padre amigo tío primo vecino farero rinoceronte gorila avestruz
mosquito cordero pollito pavo toro búfalo halcón colibrí petirrojo camino muro pozo anillo escudo plato tenedor cuchillo
ladrillo motor satélite telescopio imán arcoíris viento volcán iceberg balón patinete helicóptero ascensor frigorífico""".split()
RARE_ES_F = """cuchara lámpara silla mesa bicicleta vela guitarra calabaza zanahoria patata cebolla manzana pera seta galleta
almohada manta maleta carta ventana puerta piedra montaña hoja flor rosa estrella polilla morsa pantera comadreja iguana
gamba langosta torre ancla escalera enfermera pastora vaquera inventora bailarina cantante oruga paloma gaviota
medusa avispa cacatúa alpaca computadora cámara televisión radio calculadora impresora hermana madre amiga tía prima vecina
farera libélula mosca rata ternera golondrina lechuza corona espada llave caja bolsa taza botella cuerda rueda pila tormenta
batidora lavadora nevera patineta campana sombrilla mochila tortilla croqueta sandía fresa""".split()
EL_FEM = {"águila", "hada", "ancla"}        # feminine, yet 'el' and 'un'

NAMES_H = """Milo Leo Oscar Tom Hugo Felix Max Otto Bruno Finn Sam Jasper Theo Rufus Barnaby Gus Toby Ned Archie Basil
Oliver Henry Jack Ben Charlie Pip Remy Walter Albert Ziggy""".split()
NAMES_S = """Luna Mia Ruby Lily Nora Clara Olive Hazel Daisy Poppy Ivy Rosie Maple Willow Tilly Flora Juno Stella Pearl Emma
Alice Molly Greta Ada Bella Nina Ella Zoe Penny Coco""".split()
NOMBRES_M = """Milo Leo Óscar Tomás Hugo Félix Max Bruno Simón Mateo Nico Lucas Martín Pablo Diego Andrés Rufo Teo Benito Pepe
Julián Gaspar Ramón Ciro Manuel Lolo Jacinto Marcos Ulises Darío""".split()
NOMBRES_F = """Luna Mía Rubí Lili Nora Clara Oliva Violeta Margarita Amapola Rosa Lola Julieta Estela Perla Ema Alicia Greta Ada
Bella Nina Elena Zoe Carmen Coco Marina Sofía Inés Candela Martina""".split()

# place: English preposition, noun, adjectives; Spanish preposition, article, noun, adjectives
PLACES = [
    ("in", "forest", "quiet green deep", "en", "un", "bosque", "tranquilo verde profundo"),
    ("in", "village", "small sleepy quiet", "en", "un", "pueblo", "pequeño tranquilo dormido"),
    ("in", "valley", "green misty quiet", "en", "un", "valle", "verde tranquilo escondido"),
    ("on", "mountain", "tall snowy windy", "en", "una", "montaña", "alta nevada lejana"),
    ("on", "island", "small sunny faraway", "en", "una", "isla", "pequeña soleada lejana"),
    ("in", "castle", "very~old grand crooked", "en", "un", "castillo", "antiguo enorme torcido"),
    ("on", "farm", "busy sunny little", "en", "una", "granja", "alegre soleada pequeña"),
    ("in", "garden", "wild sunny secret", "en", "un", "jardín", "salvaje soleado secreto"),
    ("in", "city", "big noisy bright", "en", "una", "ciudad", "grande ruidosa luminosa"),
    ("in", "desert", "wide golden quiet", "en", "un", "desierto", "inmenso dorado tranquilo"),
    ("in", "jungle", "warm green noisy", "en", "una", "selva", "cálida verde ruidosa"),
    ("in", "meadow", "sunny wide green", "en", "un", "prado", "soleado florido verde"),
    ("in", "swamp", "misty muddy quiet", "en", "un", "pantano", "brumoso tranquilo verde"),
    ("in", "cave", "cozy dry deep", "en", "una", "cueva", "acogedora seca profunda"),
    ("in", "lighthouse", "white lonely tall", "en", "un", "faro", "blanco solitario alto"),
    ("in", "house", "tiny crooked cozy", "en", "una", "casa", "pequeña torcida acogedora"),
    ("in", "library", "dusty quiet grand", "en", "una", "biblioteca", "antigua silenciosa enorme"),
    ("in", "school", "small cheerful old", "en", "una", "escuela", "pequeña alegre antigua"),
    ("in", "mill", "creaky little old", "en", "un", "molino", "viejo pequeño blanco"),
    ("by", "river", "clear slow silver", "junto a", "un", "río", "claro tranquilo plateado"),
    ("by", "lake", "blue still deep", "junto a", "un", "lago", "azul sereno profundo"),
    ("in", "museum", "grand quiet old", "en", "un", "museo", "enorme silencioso antiguo"),
    ("in", "bakery", "warm little busy", "en", "una", "panadería", "cálida pequeña alegre"),
    ("in", "tower", "tall stone crooked", "en", "una", "torre", "alta antigua torcida"),
    ("on", "ship", "creaky little old", "en", "un", "barco", "viejo pequeño blanco"),
    ("in", "circus", "colorful little busy", "en", "un", "circo", "alegre pequeño colorido"),
    ("in", "park", "leafy quiet sunny", "en", "un", "parque", "frondoso tranquilo soleado"),
    ("on", "planet", "tiny faraway blue", "en", "un", "planeta", "diminuto lejano azul"),
    ("on", "beach", "sunny wide windy", "en", "una", "playa", "soleada inmensa tranquila"),
    ("in", "kitchen", "warm tidy little", "en", "una", "cocina", "cálida ordenada pequeña"),
    ("on", "hill", "green windy small", "en", "una", "colina", "verde pequeña redonda"),
    ("in", "town", "small busy quiet", "en", "una", "aldea", "pequeña alegre tranquila"),
    ("in", "market", "busy noisy little", "en", "un", "mercado", "alegre ruidoso pequeño"),
    ("in", "station", "busy little old", "en", "una", "estación", "pequeña antigua tranquila"),
    ("in", "theater", "grand dusty old", "en", "un", "teatro", "antiguo enorme pequeño"),
    ("in", "hospital", "white quiet small", "en", "un", "hospital", "blanco tranquilo pequeño"),
    ("in", "palace", "golden quiet grand", "en", "un", "palacio", "dorado tranquilo enorme"),
    ("in", "tent", "striped cozy little", "en", "una", "tienda", "pequeña acogedora blanca"),
    ("in", "field", "wide green sunny", "en", "un", "campo", "verde soleado inmenso"),
    ("in", "wood", "quiet old dark", "en", "un", "bosquecillo", "tranquilo verde antiguo"),
    ("in", "kingdom", "small faraway sunny", "en", "un", "reino", "pequeño lejano soleado"),
    ("by", "waterfall", "tall silver noisy", "junto a", "una", "cascada", "alta plateada ruidosa"),
    ("in", "cabin", "cozy wooden little", "en", "una", "cabaña", "pequeña acogedora torcida"),
    ("by", "the sea", "", "junto al mar", "", "", ""),
    ("on", "the moon", "", "en la luna", "", "", ""),
    ("in", "the mountains", "", "en las montañas", "", "", ""),
    ("in", "the snow", "", "en la nieve", "", "", ""),
    ("in", "space", "", "en el espacio", "", "", ""),
    ("under", "the sea", "", "bajo el mar", "", "", ""),
]
# places that a plot may avoid are named by their noun; "the waves" stands for "under the sea"
SEA = {"island", "lighthouse", "ship", "the sea", "the waves", "space", "the moon", "planet"}
SKY = {"the moon", "space", "planet", "the waves"}

TRAITS_EN = "curious shy cheerful gentle dreamy clumsy stubborn quiet brave patient sleepy little kind funny polite tiny young".split()
TRAITS_ES = """curios{o} tímid{o} alegre amable soñador{a} despistad{o} testarud{o} tranquil{o} valiente paciente pequeñ{o} educad{o}
divertid{o} diminut{o} joven""".split()

# further traits that only a request gives
MORE_TRAITS_EN = """red blue green golden white black big huge old lonely lost magic talking happy sad lazy hungry angry grumpy clever wise
scared fat thin silly strange proud""".split()
MORE_TRAITS_ES = """roj{o} azul verde dorad{o} blanc{o} negr{o} grande enorme viej{o} solitari{o} perdid{o} mágic{o} feliz triste perezos{o}
hambrient{o} enfadad{o} list{o} sabi{o} asustad{o} gord{o} rar{o} orgullos{o} invisible salvaje""".split()

HOBBY_EN = """to collect smooth stones|to sing in the morning|to watch the clouds|to draw maps of everything|to count the stars|
to dance when nobody was looking|to tell jokes to the trees|to whistle old songs|to cook soup|to ask questions|
to nap in the sun|to jump over puddles|to read by candlelight|to smell every flower|to paint doors blue|
to invent new words|to make paper boats|to listen to the rain|to say good morning to everyone|to drink tea with honey"""
HOBBY_ES = """coleccionar piedras lisas|cantar por la mañana|mirar las nubes|dibujar mapas de todo|contar las estrellas|
bailar cuando nadie miraba|contar chistes a los árboles|silbar canciones antiguas|cocinar sopa|hacer preguntas|
dormir la siesta al sol|saltar los charcos|leer a la luz de una vela|oler todas las flores|pintar puertas de azul|
inventar palabras|hacer barcos de papel|escuchar la lluvia|dar los buenos días a todo el mundo|tomar té con miel"""
QUIRK_EN = """never went out without a {color} hat|always wore a {color} scarf|had the loudest laugh in the world|
lived alone with a very old clock|kept a lucky button in a box|had a smile for everyone|was always a little late|
talked to the wind as to a friend|slept in a bed full of books|hated to be in a hurry"""
QUIRK_ES = """nunca salía sin un sombrero {color}|siempre llevaba una bufanda {color}|tenía la risa más fuerte del mundo|
vivía con un reloj muy viejo|guardaba un botón de la suerte en una caja|tenía una sonrisa para todos|
siempre llegaba un poco tarde|hablaba con el viento como con un amigo|dormía en una cama llena de libros|
odiaba tener prisa"""

OPEN_EN = [
    "Once upon a time, {place}, there [lived|was] {aK} [named|called] {N}.",
    "Once upon a time there was {aK} [named|called] {N} who lived {place}.",
    "Once upon a time, {aK} named {N} lived {place}.",
    "Long ago, {place}, there lived {aK} named {N}.",
    "There was once {aK} [named|called] {N} who lived {place}.",
    "{Place} lived {aK} [named|called] {N}.",
    "Far away, {place}, there lived {aK} called {N}.",
]
OPEN_ES = [
    "Había una vez, {place}, {unK} [que se llamaba|llamad{o}] {N}.",
    "Había una vez {unK} llamad{o} {N} que vivía {place}.",
    "Había una vez {unK} llamad{o} {N}. Vivía {place}.",
    "Érase una vez {unK} que vivía {place} y se llamaba {N}.",
    "Hace mucho tiempo, {place}, vivía {unK} [llamad{o}|que se llamaba] {N}.",
    "{Place} vivía {unK} [llamad{o}|que se llamaba] {N}.",
    "Muy lejos de aquí, {place}, vivía {unK} llamad{o} {N}.",
]
HABIT_EN = ["{N} loved {hobby}.", "{He} loved {hobby} and {quirk}.", "{He} {quirk}.", "{N} {quirk} and loved {hobby}.",
            "More than anything, {he} liked {hobby}."]
HABIT_ES = ["A {N} le encantaba {hobby}.", "Le gustaba mucho {hobby} y {quirk}.", "{N} {quirk}.",
            "{N} {quirk} y le encantaba {hobby}.", "Lo que más le gustaba era {hobby}."]
END_EN = [
    "From that day on, {N} and {F} were [the best of friends|never far apart|always together].",
    "And every [evening|Sunday] after that, {N} and {F} [drank tea together|shared a slice of pie|sat side by side and watched the sky].",
    "That night {N} fell asleep with a smile.",
    "And {N} never forgot that {moral}.",
    "{N} went home happy, because now {he} knew that {moral}.",
    "\"You see,\" said {F}, \"{moral}.\" And {N} agreed.",
    "And so {N} learned that {moral}.",
    "They laughed until the [moon|stars] came out, and then they laughed a little more.",
]
END_ES = [
    "Desde aquel día, {N} y {F} fueron [l{os} mejores amig{os}|inseparables].",
    "Y desde entonces, cada [tarde|domingo], {N} y {F} [tomaban té junt{os}|compartían un trozo de pastel|se sentaban a mirar el cielo].",
    "Aquella noche {N} se durmió con una sonrisa.",
    "Y {N} nunca olvidó que {moral}.",
    "{N} volvió a casa muy content{o}, porque ahora sabía que {moral}.",
    "«¿Lo ves?», dijo {F}. «{Moral}.» Y {N} le dio la razón.",
    "Y así {N} aprendió que {moral}.",
    "Se rieron hasta que salieron [la luna y las estrellas|las estrellas], y luego se rieron un poco más.",
]
LAST_EN = ["The end.", "And that is the end of the story.", "Good night, {N}."]
LAST_ES = ["Y colorín, colorado, este cuento se ha acabado.", "Fin.", "Buenas noches, {N}."]

# plot: slots (rows drawn together), avoided places, then the body as two paragraphs, and morals
PLOTS = {}


def plot(key, avoid=(), en=None, es=None):
    PLOTS[key] = dict(avoid=set(avoid), en=en, es=es)


plot("lost", avoid=("the moon", "space", "the waves"), en=dict(
    slots=[("obj use", ["red scarf|blanket", "little bell|doorbell", "blue button|dinner table", "silver spoon|slide",
                        "straw hat|house", "toy boat|cradle", "old umbrella|roof", "yellow sock|sleeping bag",
                        "teacup|bathtub", "picture book|tent", "silver key|seesaw", "green mitten|bed"]),
           ("tiny", ["mice", "beetles", "ladybugs", "snails", "crickets"]),
           ("gift", ["blackberry pie", "basket of nuts", "jar of honey", "pot of jam"])],
    body=["One [morning|windy morning|afternoon], {N} could not find {his} {obj}. {He} looked under the bed, behind the door and "
          "even inside the [kettle|soup pot|clock], but the {obj} was [gone|nowhere to be seen]. So {he} went to see {F}, {afK} "
          "who lived nearby. \"[Think slowly|Do not worry],\" said {F}. \"[Lost things like to be looked for together|What is lost is "
          "often close to home].\" They followed [a trail of crumbs|a line of tiny footprints|a thin red thread] "
          "until they came to [an old oak|a hollow log|a mossy stone|a hole in a wall].",
          "There, a family of {tiny} was using the {obj} as a {use}! The smallest one [blushed|trembled] and said, \"[We thought "
          "nobody wanted it|We did not know it was yours].\" {N} [thought for a moment|looked at them for a while] and [smiled|laughed]. "
          "\"Keep it,\" {he} said. \"It looks better here.\" That evening, the {tiny} knocked on {N}'s door with a {gift}, and "
          "{F} came to share it."],
    moral=["some things are found only when you give them away", "a gift is a thing that has found its place",
           "there is always somebody smaller who needs a {use}"]),
 es=dict(
    slots=[("obj use lo", ["bufanda roja|manta|la", "campanilla|timbre|la", "botón azul|mesa|lo", "cuchara de plata|tobogán|la",
                           "sombrero de paja|casa|lo", "barquito|cuna|lo", "paraguas viejo|techo|lo",
                           "calcetín amarillo|saco de dormir|lo", "taza de té|bañera|la", "libro de dibujos|tienda de campaña|lo",
                           "llave de plata|balancín|la", "guante verde|cama|lo"]),
           ("tiny chico", ["ratones|El más pequeño", "escarabajos|El más pequeño", "mariquitas|La más pequeña",
                           "caracoles|El más pequeño", "hormigas|La más pequeña"]),
           ("gift", ["una tarta de moras", "una cesta de nueces", "un tarro de miel", "un bote de mermelada"])],
    body=["Una [mañana|mañana de viento|tarde], {N} no encontraba su {obj}. Miró debajo de la cama, detrás de la puerta y hasta dentro "
          "[de la tetera|de la olla|del reloj], pero no {lo} vio por ninguna parte. Así que fue a ver a {F}, {ufK} que vivía "
          "cerca. «[Piensa despacio|No te preocupes]», dijo {F}. «[Las cosas perdidas se buscan mejor en compañía|Lo perdido suele estar "
          "cerca de casa].» Siguieron [un rastro de migas|unas huellas diminutas|un hilo rojo muy fino] hasta llegar a "
          "[un viejo roble|un tronco hueco|una piedra con musgo|un agujero en un muro].",
          "¡Allí, una familia de {tiny} usaba su {obj} como {use}! {chico} [se puso color de tomate|tembló un poco] y dijo: «[Creíamos que "
          "nadie {lo} quería|No sabíamos de quién era].» {N} [pensó un momento|{lo} miró un rato] y [sonrió|se echó a reír]. "
          "«[Quedáosl{lo_}|Es vuestr{lo_}]», dijo. «Aquí queda mejor.» Esa noche, l{tinyo}s {tiny} llamaron a la puerta de {N} con "
          "{gift}, y {F} vino a compartirl{gifto}."],
    moral=["algunas cosas solo se encuentran cuando se regalan", "un regalo es una cosa que ha encontrado su sitio",
           "siempre hay alguien más pequeño que nos necesita"]))

plot("moon", avoid=SKY | {"desert", "cave"}, en=dict(
    slots=[("climb", ["highest hill", "tallest tree", "roof of the mill", "top of the old tower"]),
           ("water", ["a pond", "a bucket of water", "a puddle", "a bowl of soup"]),
           ("tool", ["a long ladder", "a fishing rod", "a very tall chair", "a pair of stilts"])],
    body=["But {N} had one great wish: {he} wanted to touch the moon. One [clear|warm] night, {he} climbed to the {climb} and "
          "stretched as far as {he} could. The moon was still [far away|too high]. Then came {F}, {afK}, carrying {tool}. "
          "\"[May I help|Are you reaching for the moon too]?\" asked {F}. They tried [together|three times], but the moon only "
          "[smiled|shone] and stayed where it was.",
          "Tired and a little sad, they sat down beside {water}. And there, [round and white|bright as silver], was the moon! {N} "
          "[held {his} breath|leaned closer] and touched it [very gently|with one finger]. The moon [wobbled|giggled] and broke into a hundred "
          "little lights. \"It tickles!\" whispered {F}, and they both laughed."],
    moral=["far things sometimes come to meet us", "the moon belongs to everyone who looks", "a wish can come true lower than you look for it"]),
 es=dict(
    slots=[("climb", ["a la colina más alta", "al árbol más alto", "al tejado del molino", "a lo alto de la vieja torre"]),
           ("water", ["un estanque", "un cubo de agua", "un charco", "un plato de sopa"]),
           ("tool", ["una escalera muy larga", "una caña de pescar", "una silla altísima", "un par de zancos"])],
    body=["Pero {N} tenía un gran deseo: quería tocar la luna. Una noche [clara|cálida] subió {climb} y se estiró todo lo que pudo. "
          "La luna seguía [muy lejos|demasiado alta]. Entonces llegó {F}, {ufK}, con {tool}. «[¿Puedo ayudarte|¿Tú también quieres "
          "tocar la luna]?», preguntó {F}. Lo intentaron [junt{os}|tres veces], pero la luna solo [sonreía|brillaba] y no se movía "
          "de su sitio.",
          "Cansad{os} y un poco tristes, se sentaron al lado de {water}. ¡Y allí, [redonda y blanca|brillante como la plata], estaba la "
          "luna! {N} [contuvo la respiración|se acercó] y la tocó [muy despacio|con un dedo]. La luna [tembló|se rio] y se rompió en cien "
          "lucecitas. «¡Hace cosquillas!», susurró {F}, y {los} dos se rieron."],
    moral=["a veces lo lejano viene a nuestro encuentro", "la luna es de todos los que la miran",
           "un deseo puede cumplirse más abajo de donde lo buscamos"]))

plot("sea", avoid=SEA | {"the snow"}, en=dict(
    slots=[("block", ["a wide river", "a steep hill", "a dark wood", "a wall with no door"]),
           ("how", ["swim on {F}'s back", "make a small raft", "find a hidden path", "take the long way, singing"]),
           ("thing", ["a white shell", "a small round stone", "a green piece of glass"])],
    body=["But {N} had never seen the sea. One day {he} packed [some bread and cheese|two apples|a warm blanket] and started to walk. "
          "[On the second day|By the afternoon], {block} lay across the road, and {N} almost turned back. \"[Where are you going|Why "
          "so sad]?\" asked {afK} named {F}. \"To the sea,\" said {N}, \"but I cannot go on.\" \"I know what to do,\" said "
          "{F}. \"[Two of us are braver than one|I have always wanted to see it too].\"",
          "So they went on together. They [walked|talked] and walked until the air smelled of salt. And there it was, [blue|bright] and without an "
          "end! The first wave came up to {N}'s feet, as if to say hello. {N} could not speak. {F} found {thing} and gave it to "
          "{him}. Back at home, {N} let everyone [look at it|hold it], and they all [heard|dreamed of] the waves."],
    moral=["a long road is short with a friend", "the first step is the hardest one", "the world is bigger than any map"]),
 es=dict(
    slots=[("block", ["un río muy ancho", "una cuesta muy empinada", "un bosque oscuro", "un muro sin puerta"]),
           ("thing", ["una concha blanca", "una piedrecita redonda", "una estrella de cristal"])],
    body=["Pero {N} nunca había visto el mar. Un día preparó [pan y queso|dos manzanas|una manta] y echó a andar. [Al segundo "
          "día|Por la tarde], {block} le cerró el camino, y {N} estuvo a punto de volver. «[¿Adónde vas|¿Por qué estás triste]?», "
          "preguntó {ufK} que se llamaba {F}. «Al mar», dijo {N}, «pero no puedo seguir.» «Yo sé qué hacer», dijo {F}. «[Entre dos "
          "hay más valor|Yo también he querido verlo siempre].»",
          "Así que siguieron junt{os}. Caminaron y [caminaron|hablaron] hasta que el aire olió a sal. ¡Y allí estaba, [azul|brillante] y "
          "sin final! La primera ola llegó hasta los pies de {N}, como si le dijera hola. {N} no podía hablar. {F} encontró "
          "{thing} y se la regaló. Al volver a casa, {N} se la enseñó a todos, y todos [oyeron|soñaron con] las olas."],
    moral=["un camino largo se hace corto con un amigo", "el primer paso es el más difícil", "el mundo es más grande que cualquier mapa"]))

plot("dark", en=dict(
    slots=[("light", ["a lantern", "a small candle", "a jar of fireflies", "an old lamp"])],
    body=["But {N} was afraid of the dark. Every night {he} [hid under the blanket|left a light on|counted to a hundred] and waited for "
          "the sun. One [cold|windy] night, {he} heard a small voice outside. \"Help! I am lost!\" {N}'s heart beat like a drum. "
          "{He} took {light}, opened the door and stepped out [on trembling feet|very slowly].",
          "Behind a bush sat {F}, {afK}, [all alone|shivering]. \"I am afraid of the dark,\" said {F}. \"So am I,\" said "
          "{N}, and then they both began to laugh. {N} [held out a hand|came closer]. Side by side they looked up, and the sky was full of "
          "stars. \"[You can only see them in the dark|The dark was hiding them for us],\" said {N}. {He} took {F} home and did not "
          "even notice that the light had gone out."],
    moral=["the dark is smaller when you share it", "being brave means going out anyway", "stars need the dark to shine"]),
 es=dict(
    slots=[("light", ["un farol", "una velita", "un tarro de luciérnagas", "una lámpara vieja"])],
    body=["Pero {N} tenía miedo a la oscuridad. Cada noche [se escondía bajo la manta|dejaba una luz encendida|contaba hasta cien] y "
          "esperaba a que saliera el sol. Una noche [fría|de viento] oyó una vocecita fuera. «¡Socorro! ¡Me he perdido!» El corazón "
          "de {N} sonaba como un tambor. Cogió {light}, abrió la puerta y salió [temblando|muy despacio].",
          "Detrás de un arbusto estaba {F}, {ufK}, [sol{fo}|tiritando]. «Tengo miedo a la oscuridad», dijo {F}. «Yo también», "
          "dijo {N}, y {los} dos se echaron a reír. {N} [le dio la mano|se acercó]. Junt{os} miraron hacia arriba, y el cielo estaba "
          "lleno de estrellas. «[Solo se ven en la oscuridad|La oscuridad las guardaba para nosotr{os}]», dijo {N}. Acompañó a {F} a casa y "
          "ni siquiera notó que la luz se había apagado."],
    moral=["la oscuridad se hace pequeña cuando se comparte", "ser valiente es salir de todos modos",
           "las estrellas necesitan la noche para brillar"]))

plot("cake", avoid=SKY, en=dict(
    slots=[("oops what last", ["flat as a plate|pancake|pancakes", "hard as a stone|wheel|a new wheel for the cart",
                               "full of holes|cheese|cheese", "as tall as a chimney|tower|tall towers",
                               "bright blue|piece of sky|the color of the sky"])],
    body=["Tomorrow was the birthday of {F}, {afK} and {N}'s dearest friend. {N} wanted to bake [the best cake in the world|a cake with "
          "three floors]. {He} mixed flour, eggs and [honey|milk|plums], but {he} [forgot to read the recipe|added a little of everything], and "
          "the cake came out {oops}. {N} sat on the kitchen floor and [sighed|almost cried]. There was no time to bake "
          "another one.",
          "In the morning {he} went to {F}'s house with the cake [behind {his} back|under a cloth]. \"It went wrong,\" {he} said. {F} looked at "
          "it for a long time. \"A {what}!\" {F} shouted. \"How did you know? I have always wanted {last}!\" They "
          "[danced around it|put a candle on it] and sang all morning. It was the [funniest|best] birthday that anyone could remember."],
    moral=["a mistake made with love is a good present", "a friend sees what you meant", "not every cake has to be perfect"]),
 es=dict(
    slots=[("oops what last", ["plano como un plato|Una tortita|tortitas", "duro como una piedra|Una rueda|una rueda nueva para el carro",
                               "lleno de agujeros|Un queso|un queso así", "alto como una chimenea|Una torre|una torre",
                               "de un azul brillante|Un trozo de cielo|un trozo de cielo"])],
    body=["Al día siguiente era el cumpleaños de {F}, {ufK}, su mejor amig{fo}. {N} quería hacer [el mejor pastel del mundo|un pastel de "
          "tres pisos]. Mezcló harina, huevos y [miel|leche|ciruelas], pero [olvidó leer la receta|puso un poco de todo], y el pastel "
          "salió {oops}. {N} se sentó en el suelo de la cocina y [suspiró|casi lloró]. Ya no había tiempo para hacer otro.",
          "Por la mañana fue a casa de {F} con el pastel [a la espalda|bajo un paño]. «Me ha salido mal», dijo. {F} lo miró mucho "
          "rato. «¡{what}!», gritó. «¿Cómo lo sabías? ¡Siempre he querido {last}!» [Bailaron alrededor|Le pusieron una vela] y "
          "cantaron toda la mañana. Fue el cumpleaños más [divertido|bonito] que nadie recordaba."],
    moral=["un error hecho con cariño es un buen regalo", "los amigos ven lo que queríamos hacer",
           "no todos los pasteles tienen que ser perfectos"]))

plot("noise", en=dict(
    slots=[("sound cause", ["a deep rumble|snoring", "a strange humming|singing in {fhis} sleep",
                            "a soft tap, tap, tap|learning to dance", "a long sad note|playing an old flute",
                            "a loud crash|trying to juggle plates"])],
    body=["One night {N} heard a strange noise: {sound}. \"[A monster|Something terrible],\" thought {N}, and {he} did not sleep at all. The next "
          "night it came again, and the next one too. At last {he} put [a pot on {his} head|on {his} best coat|a spoon in {his} pocket], "
          "[took a deep breath|said a brave word] and went to look.",
          "The noise came from the empty house across the way. {N} pushed the door open, and there was {F}, {afK}, {cause}! "
          "\"[Oh no, did I wake you|Am I too loud]?\" asked {F}. \"I have just moved in, and I do not know anyone yet.\" {N} [made "
          "a bow|began to smile]. \"Now you know me,\" {he} said. The next night there were two of them making noise, and "
          "nobody was afraid."],
    moral=["many monsters are only neighbors", "it is good to knock before being afraid", "a strange noise may be a friend"]),
 es=dict(
    slots=[("sound cause", ["un ruido muy grave|roncando", "un zumbido muy raro|cantando en sueños",
                            "un suave toc, toc, toc|aprendiendo a bailar", "una nota larga y triste|tocando una vieja flauta",
                            "un golpe tremendo|jugando con unos platos"])],
    body=["Una noche {N} oyó {sound}. «[Un monstruo|Algo terrible]», pensó, y no pudo dormir. A la noche siguiente volvió a "
          "oírse, y a la otra también. Por fin {N} [se puso una olla en la cabeza|se puso su mejor abrigo|cogió una cuchara], [respiró "
          "hondo|se dio ánimos] y fue a mirar.",
          "El ruido venía de la casa vacía de enfrente. {N} empujó la puerta, ¡y allí estaba {F}, {ufK}, {cause}! «[¿Te he "
          "despertado|¿Hago mucho ruido]?», preguntó {F}. «Acabo de llegar y todavía no conozco a nadie.» {N} [hizo una "
          "reverencia|empezó a sonreír]. «Ahora me conoces a mí», dijo. A la noche siguiente eran dos haciendo ruido, y nadie "
          "tuvo miedo."],
    moral=["muchos monstruos son solo vecinos", "es bueno llamar a la puerta antes de asustarse", "un ruido raro puede ser un amigo"]))

plot("race", avoid=("the moon", "space", "the waves", "library", "museum"), en=dict(
    slots=[("prize", ["a golden cup", "a huge cheese", "a crown of flowers", "a basket of cherries"]),
           ("trouble", ["was stuck in the mud", "had hurt a foot", "had lost the way", "could not cross the stream"])],
    body=["Every year there was a great race, and the prize was {prize}. {N} had never won anything, but {he} practiced every "
          "[morning|evening], [up and down the path|around and around the house]. On the day of the race {he} ran like the wind. {He} "
          "passed the first, then the second, and [the finish was near|{he} could already see the flag].",
          "Then {he} heard a cry. It was {F}, {afK}, who {trouble}. {N} looked at the flag. {He} looked at {F}. And {he} "
          "[turned around|stopped]. It took a long time, and they came in last, walking [side by side|slowly together]. But everybody was still there, "
          "[clapping|cheering]. The winner came up to them with the prize. \"[We should share this|This is for you],\" said the winner. "
          "\"I only ran. You did something harder.\""],
    moral=["coming last can be a kind of winning", "it matters who you stop for", "nobody remembers the time, but everybody remembers the kindness"]),
 es=dict(
    slots=[("prize", ["una copa de oro", "una tarta enorme", "una corona de flores", "una cesta de cerezas"]),
           ("trouble", ["no podía salir del barro", "se había hecho daño en un pie", "no encontraba el camino",
                        "no podía cruzar el arroyo"])],
    body=["Cada año había una gran carrera, y el premio era {prize}. {N} nunca había ganado nada, pero practicaba todas las "
          "[mañanas|tardes], [camino arriba y camino abajo|dando vueltas a la casa]. El día de la carrera corrió como el viento. Adelantó "
          "al primero, luego al segundo, y [la meta ya estaba cerca|ya podía ver la bandera].",
          "Entonces oyó un grito. Era {F}, {ufK}, que {trouble}. {N} miró la bandera. Miró a {F}. Y [dio la vuelta|se paró]. "
          "Tardaron mucho, y llegaron l{os} últim{os}, caminando [junt{os}|despacio]. Pero todos seguían allí, [aplaudiendo|"
          "esperando]. Quien había ganado se acercó con el premio. «[Tenemos que compartirlo|Esto es para vosotr{os}]», dijo. «Yo solo he "
          "corrido. Lo vuestro era más difícil.»"],
    moral=["llegar al final también puede ser ganar", "lo importante es por quién te paras",
           "nadie recuerda el tiempo, pero todos recuerdan la bondad"]))

plot("seed", avoid=("the moon", "space", "the waves", "the snow"), en=dict(
    slots=[("grew", ["a pumpkin as big as a house, and mice moved in the same day", "a tree with little lanterns instead of fruit",
                     "a flower that hummed when the wind blew", "a ladder of leaves that reached the clouds",
                     "a bush with blue berries that tasted of summer", "a sunflower that turned to look at {N}"])],
    body=["One day {N} found a strange seed [on the road|in an old coat|under a stone]. {He} planted it [by the door|in a pot] and waited. "
          "{He} waited one day, two days, a whole week, but nothing came up. \"[It is broken|It does not like me],\" {he} said. "
          "{F}, {afK}, was passing by and stopped. \"[It is only sleeping|Seeds are slow],\" said {F}. \"Have you told it a "
          "story?\"",
          "So every evening they sat down together. {N} gave it [a little|some] water, and {F} told it stories of the sun, the rain and the bees. Then, "
          "one [bright|quiet] morning, the earth opened, and by noon there was {grew}. Everyone came to see it. \"[What did you "
          "do|How did you do it]?\" they asked. \"[We kept it company|We waited],\" said {N}."],
    moral=["good things grow slowly", "waiting is easier with a friend", "everything grows better with a story"]),
 es=dict(
    slots=[("grew", ["una calabaza grande como una casa, y ese mismo día se mudaron allí unos ratones",
                     "un árbol con farolillos en lugar de frutas", "una flor que cantaba cuando soplaba el viento",
                     "una escalera de hojas que llegaba a las nubes", "un arbusto con bayas azules que sabían a verano",
                     "un girasol que se volvía para mirar a {N}"])],
    body=["Un día {N} encontró una semilla muy rara [en el camino|en un abrigo viejo|debajo de una piedra]. La plantó [junto a la puerta|"
          "en una maceta] y esperó. Esperó un día, dos días, una semana entera, pero no salía nada. «[Está rota|No le gusto]», "
          "dijo. {F}, {ufK}, pasaba por allí y se detuvo. «[Solo está dormida|Las semillas son lentas]», dijo {F}. «¿Le has "
          "contado un cuento?»",
          "Así que cada tarde se sentaban junt{os}. {N} le daba [un poco de|su] agua, y {F} le contaba cuentos del sol, de la lluvia y de las "
          "abejas. Una mañana [clara|tranquila], la tierra se abrió, y al mediodía había {grew}. Todos vinieron a verlo. "
          "«[¿Qué habéis hecho|¿Cómo lo habéis hecho]?», preguntaban. «[Le hicimos compañía|Esperamos]», dijo {N}."],
    moral=["las cosas buenas crecen despacio", "esperar es más fácil en compañía", "todo crece mejor con un cuento"]))

plot("rain", avoid=SKY | {"the snow", "cave", "ship", "castle"}, en=dict(
    slots=[("second", ["a family of mice", "three wet hens", "a shy hedgehog", "two ducks who were tired of water"]),
           ("third", ["a cow", "a very large bear", "a postman with his bag", "a goat with an accordion"])],
    body=["One evening it began to rain. It rained [so hard that the roads became rivers|as if the sky had a hole]. {N} was warm and dry by the "
          "fire when someone knocked. It was {F}, {afK}, wet from head to toe. \"[Is there room for me|May I come in]?\" \"The house "
          "is [small|tiny],\" said {N}, \"but there is always room for one more.\"",
          "Then came {second}. \"[Come in, come in|There is room],\" said {N}. At midnight came {third}, and everybody had to "
          "[stand very close|breathe in turns]. Nobody could lie down, so they [told stories|sang songs|drank soup] all night long. In the "
          "morning the sun was shining, but nobody wanted to go home. \"[It was too short|Let us hope for rain],\" said {F}, and they "
          "all laughed."],
    moral=["a small house can hold a big heart", "there is always room for one more", "bad weather can make good friends"]),
 es=dict(
    slots=[("second", ["una familia de ratones", "tres gallinas mojadas", "un erizo muy tímido", "dos patos cansados de tanta agua"]),
           ("third", ["una vaca", "un oso grandísimo", "un cartero con su bolsa", "una cabra con un acordeón"])],
    body=["Una tarde empezó a llover. Llovía [tanto que los caminos parecían ríos|como si el cielo tuviera un agujero]. {N} estaba junto al fuego "
          "cuando alguien llamó. Era {F}, {ufK}, con agua hasta las orejas. «[¿Hay sitio para mí|¿Puedo pasar]?» «La casa es "
          "[pequeña|diminuta]», dijo {N}, «pero siempre cabe uno más.»",
          "Luego llegó {second}. «[Adelante, adelante|Hay sitio]», dijo {N}. A medianoche llegó {third}, y todos tuvieron que "
          "[apretarse mucho|respirar por turnos]. Nadie podía tumbarse, así que [contaron cuentos|cantaron|tomaron sopa] toda la noche. Por la "
          "mañana brillaba el sol, pero nadie quería irse. «[Ha sido muy corto|Ojalá vuelva a llover]», dijo {F}, y todos se "
          "rieron."],
    moral=["en una casa pequeña cabe un corazón grande", "siempre cabe uno más", "el mal tiempo puede traer buenos amigos"]))

plot("fly", avoid=SKY, en=dict(
    slots=[("stuff", ["an old bathtub and two sheets", "a basket and a hundred feathers", "a chair and four umbrellas",
                      "a barrel and a big paper bag"]),
           ("fix", ["a bell", "a red ribbon", "a little wooden wheel", "a drop of oil", "a song"])],
    body=["{N} wanted to fly. {He} built a flying machine out of {stuff}. On Monday it [fell into the bushes|went backwards]. "
          "On Tuesday it [only hopped|made a rude noise]. On Wednesday it did nothing at all, and {N} [kicked a stone|wanted to give "
          "up]. Just then {afK} named {F} came by and walked around it twice. \"[It is wonderful|What a beautiful machine],\" "
          "said {F}. \"It only needs {fix}.\"",
          "{N} did not believe it, but they tried. The machine [shook|coughed], and then it rose above the roofs! They flew over the trees "
          "and waved at the [storks|swallows]. \"[How did you know|Why does it work]?\" asked {N}. {F} [laughed|smiled]. \"I did not know. I "
          "only thought that it looked lonely with one seat.\" They landed in time for [supper|soup], on top of a [haystack|hen house]."],
    moral=["a dream flies better with two", "the fourth try is the one that counts", "sometimes the missing piece is a friend"]),
 es=dict(
    slots=[("stuff", ["una bañera vieja y dos sábanas", "una cesta y cien plumas", "una silla y cuatro paraguas",
                      "un barril y una gran bolsa de papel"]),
           ("fix", ["una campana", "una cinta roja", "una ruedecita de madera", "una gota de aceite", "una canción"])],
    body=["{N} quería volar. Construyó una máquina voladora con {stuff}. El lunes [se cayó en los arbustos|fue hacia atrás]. El martes "
          "[solo dio un saltito|hizo un ruido muy feo]. El miércoles no hizo nada, y {N} [dio una patada a una piedra|quiso "
          "rendirse]. Justo entonces {ufK} que se llamaba {F} pasó por allí y le dio dos vueltas. «[Es maravillosa|¡Qué máquina "
          "tan bonita!]», dijo {F}. «Solo le falta {fix}.»",
          "{N} no se lo creía, pero lo probaron. La máquina [tembló|tosió], ¡y se elevó por encima de los tejados! Volaron sobre los "
          "árboles y saludaron a las [cigüeñas|golondrinas]. «[¿Cómo lo sabías|¿Por qué funciona]?», preguntó {N}. {F} [se rio|"
          "sonrió]. «No lo sabía. Solo me pareció muy triste con un asiento.» Aterrizaron a la hora de [la cena|la sopa], encima "
          "de un [pajar|gallinero]."],
    moral=["los sueños vuelan mejor entre dos", "la cuarta vez es la que cuenta", "a veces la pieza que falta es un amigo"]))

plot("star", avoid=SKY | {"cave"}, en=dict(
    slots=[("where", ["in the grass", "in a bird's nest", "in the well", "on the roof"]),
           ("way", ["a kite", "a very long ladder", "a big balloon", "a wooden catapult"])],
    body=["One night {N} found a little star {where}. It was [no bigger than an apple|warm as fresh bread], and it was crying. \"I "
          "[leaned out too far|was dancing] and fell,\" said the star. \"I want to go home.\" {N} [dried its tears|put it in a warm pocket] "
          "and thought all night. In the morning {he} asked {F}, {afK} who knew about such things. \"We need "
          "{way},\" said {F}, \"and a great deal of hope.\"",
          "They worked [all day|until dusk]. When the sky grew dark, they went up the hill and let the star go. Up it went, up and up, until it was "
          "[a tiny spark|as small as a grain of sand]. Then it found its place and [winked|shone twice as bright]. \"[Good night, little "
          "star|Do not lean out again],\" called {N}. Ever since, that star has winked [twice|three times] when somebody says {N}'s name."],
    moral=["even a star may need a hand", "helping someone go home is a kind of light", "no one is too small to help a star"]),
 es=dict(
    slots=[("where", ["en la hierba", "en un nido", "en el pozo", "en el tejado"]),
           ("way", ["una cometa", "una escalera larguísima", "un globo enorme", "una catapulta de madera"])],
    body=["Una noche {N} encontró una estrellita {where}. [No era más grande que una manzana|Estaba tibia como el pan], y lloraba. «[Me asomé "
          "demasiado|Estaba bailando] y me caí», dijo la estrella. «Quiero volver a casa.» {N} [le secó las lágrimas|la guardó en un "
          "bolsillo] y pensó toda la noche. Por la mañana preguntó a {F}, {ufK} que sabía de esas cosas. «Necesitamos {way}», "
          "dijo {F}, «y mucha esperanza.»",
          "Trabajaron [todo el día|hasta el atardecer]. Cuando el cielo se oscureció, subieron a la colina y soltaron la estrella. Subió y "
          "subió, hasta que fue [una chispa diminuta|como un grano de arena]. Entonces encontró su sitio y [guiñó un ojo|brilló el doble]. "
          "«[Buenas noches, estrellita|No te asomes otra vez]», gritó {N}. Desde entonces, esa estrella guiña [dos|tres] veces cuando "
          "alguien dice el nombre de {N}."],
    moral=["hasta una estrella puede necesitar ayuda", "ayudar a alguien a volver a casa también da luz",
           "nadie es demasiado pequeño para ayudar a una estrella"]))

plot("sleep", en=dict(
    slots=[("count", ["sheep", "stars", "spoons", "clouds"]),
           ("tip", ["listen to the quiet", "say good night to everything you like", "breathe as slowly as the sea",
                    "think of three good things"])],
    body=["One night {N} could not sleep. {He} [turned left and turned right|lay on {his} back and on {his} side]. {He} counted {count} up to "
          "[two hundred|a thousand], but the {count} only made {him} [hungry|laugh]. At last {he} went outside, and there was {F}, "
          "{afK}, also wide awake. \"I know a trick,\" said {F}. \"[My grandmother taught it to me|It is very old]. You must "
          "{tip}.\"",
          "They sat down under [a blanket|the stars] and tried. First they heard [the wind|a cricket]. Then they heard [the leaves|a faraway bell]. Then "
          "they heard [their own hearts|nothing at all], and it was lovely. \"It works,\" whispered {N}. \"Does it work for you?\" But {F} did not "
          "answer, because {F} was already [snoring|asleep]. {N} smiled, [yawned|closed {his} eyes] and slept until the [sun|birds] came."],
    moral=["the night is a kind friend", "sleep comes when you stop chasing it", "it is easier to rest beside a friend"]),
 es=dict(
    slots=[("count", ["ovejas", "estrellas", "cucharas", "nubes"]),
           ("tip", ["escuchar el silencio", "dar las buenas noches a todo lo que te gusta", "respirar despacio como el mar",
                    "pensar en tres cosas buenas"])],
    body=["Una noche {N} no podía dormir. [Dio vueltas a un lado y a otro|Se puso de espaldas y de lado]. Contó {count} hasta "
          "[doscientos|mil], pero las {count} solo le daban [hambre|risa]. Por fin salió de casa, y allí estaba {F}, {ufK}, también con los ojos "
          "abiertos. «Conozco un truco», dijo {F}. «[Me lo enseñó mi abuela|Es muy antiguo]. Hay que {tip}.»",
          "Se sentaron bajo [una manta|las estrellas] y probaron. Primero oyeron [el viento|un grillo]. Luego oyeron [las hojas|una campana "
          "lejana]. Después oyeron [sus corazones|el silencio], y fue muy bonito. «Funciona», susurró {N}. «¿Y a ti?» Pero {F} no "
          "contestó, porque ya estaba [roncando|durmiendo]. {N} sonrió, [bostezó|cerró los ojos] y durmió hasta que llegó [el sol|la "
          "mañana]."],
    moral=["la noche es una buena amiga", "el sueño llega cuando no se le persigue", "se descansa mejor en compañía"]))

plot("map", avoid=("the moon", "space", "the waves"), en=dict(
    slots=[("found", ["inside an old book", "in a bottle", "under the carpet", "behind a picture"]),
           ("gold", ["a table set for tea, with {N}'s name on a cup", "a chest full of old jokes on little papers",
                     "a swing that hung from the biggest tree in the world", "a mirror, and in it two friends smiling",
                     "a hundred jars of strawberry jam"])],
    body=["One day {N} found a map {found}. There was a red cross on it, and beside it the word \"treasure\". {N} [could not believe {his} "
          "eyes|jumped for joy], but the map was [hard to read|upside down]. {F}, {afK} with good eyes, offered to help. "
          "\"[Half for you and half for me|I do not want gold, only an adventure],\" said {F}, and off they went.",
          "They crossed [a bridge of ropes|a field of thistles], walked around [a sleeping bull|a very grumpy goose] and took three steps to the left. There "
          "was the cross! They dug and dug [until sunset|with a soup spoon]. And what did they find? It was {gold}. {N} looked at {F}, and "
          "{F} looked at {N}. \"It is better than gold,\" they said at the same time."],
    moral=["the best treasure cannot be counted", "the way is part of the treasure", "an adventure shared is worth double"]),
 es=dict(
    slots=[("found", ["dentro de un libro viejo", "en una botella", "debajo de la alfombra", "detrás de un cuadro"]),
           ("gold", ["una mesa puesta para el té, con el nombre de {N} en una taza", "un cofre lleno de chistes en papelitos",
                     "un columpio que colgaba del árbol más grande del mundo", "un espejo con dos amig{os} que sonreían",
                     "cien botes de mermelada de fresa"])],
    body=["Un día {N} encontró un mapa {found}. Tenía una cruz roja, y al lado la palabra «tesoro». {N} [no podía creerlo|dio un salto de "
          "alegría], pero el mapa era [difícil de leer|muy viejo]. {F}, {ufK} con muy buena vista, se ofreció a ayudar. «[La mitad para "
          "ti y la mitad para mí|No quiero oro, solo una aventura]», dijo {F}, y se pusieron en camino.",
          "Cruzaron [un puente de cuerdas|un campo de cardos], rodearon [un toro dormido|un ganso gruñón] y dieron tres pasos a la izquierda. ¡Allí "
          "estaba la cruz! Cavaron y cavaron [hasta la puesta de sol|con una cuchara]. ¿Y qué encontraron? {Era} {gold}. {N} miró "
          "a {F}, y {F} miró a {N}. «Es mejor que el oro», dijeron a la vez."],
    moral=["el mejor tesoro no se puede contar", "el camino es parte del tesoro", "una aventura compartida vale el doble"]))

plot("song", avoid=("space", "the waves", "the moon"), en=dict(
    slots=[("voice", ["creaked like an old door", "sounded like a goose with a cold", "was as deep as a drum", "was as loud as a trumpet"])],
    body=["{N} wanted to sing in the choir, but {his} voice {voice}. The others [covered their ears|laughed behind their hands], so {N} only "
          "sang where nobody could hear. One [evening|morning] a thick white fog came down, and nobody could see [the road|a thing]. {F}, "
          "{afK}, had gone out for [firewood|mushrooms] and [did not come back|was lost].",
          "They called and called, but the fog swallowed every sound. Then {N} [climbed on a chair|took a deep breath] and sang. It was not pretty, "
          "but it went through the fog like [a light|a ship]. [Step by step|Slowly], {F} followed the song and came home. \"It is the most beautiful "
          "voice that I have ever heard,\" said {F}. The next day the choir had a new singer, who stood in the [middle|first row]."],
    moral=["what makes you different may help someone", "every voice is needed by somebody", "a song does not have to be pretty to be good"]),
 es=dict(
    slots=[("voice", ["chirriaba como una puerta vieja", "sonaba como un ganso resfriado", "era grave como un tambor",
                      "era fuerte como una trompeta"])],
    body=["{N} quería cantar en el coro, pero su voz {voice}. Los demás [se tapaban los oídos|se reían por lo bajo], así que {N} solo cantaba "
          "donde nadie podía oír. Una [tarde|mañana] bajó una niebla espesa y blanca, y no se veía [el camino|nada]. {F}, {ufK}, "
          "había salido a buscar [leña|setas] y [no volvía|se había perdido].",
          "Llamaron y llamaron, pero la niebla se tragaba las voces. Entonces {N} [se subió a una silla|respiró hondo] y cantó. No era "
          "bonito, pero atravesó la niebla como [una luz|un barco]. [Paso a paso|Poco a poco], {F} siguió la canción y llegó a casa. «Es la voz "
          "más hermosa que he oído», dijo {F}. Al día siguiente el coro tenía una voz nueva, [en el centro|en primera fila]."],
    moral=["lo que te hace diferente puede ayudar a alguien", "alguien necesita cada voz",
           "una canción no tiene que ser bonita para ser buena"]))

plot("letter", en=dict(
    slots=[("tip", ["I like your windows", "I think you are nice", "the world is better with you in it", "I hope you have a good day"])],
    body=["{N} had never received a letter. Every [morning|day] {he} looked into the mailbox, and every [morning|day] it was empty. So {he} "
          "sat down and wrote one: \"Dear friend, {tip}.\" {He} [meant to send it to {himself}|did not know any address], so {he} [let the "
          "wind take it|gave it to the wind]. The wind carried it over [three hills|seven roofs] and dropped it on the nose of {F}, "
          "{afK} who was having a very bad day.",
          "{F} read the letter [twice|five times] and began to smile. Then {F} took a pen and answered. The next morning there was something in {N}'s "
          "mailbox! \"Dear friend,\" it said, \"[nobody has ever written to me before|your letter saved my day]. [Shall we have tea|Can we "
          "meet]?\" {N} ran all the way. Now they write to each other every day, although they live [two doors|ten steps] apart."],
    moral=["a kind word always finds somebody", "if you want a letter, write one", "the wind knows where kindness is needed"]),
 es=dict(
    slots=[("tip", ["me gustan tus ventanas", "creo que eres genial", "el mundo es mejor contigo", "te deseo un buen día"])],
    body=["{N} nunca había recibido una carta. Cada [mañana|día] miraba en el buzón, y cada [mañana|día] estaba vacío. Así que se sentó y "
          "escribió una: «Querida amistad: {tip}.» No [sabía a quién mandarla|conocía ninguna dirección], así que [dejó que se la llevara el "
          "viento|se la dio al viento]. El viento la llevó por encima de [tres colinas|siete tejados] y la dejó caer en la nariz de {F}, "
          "{ufK} que tenía un día muy malo.",
          "{F} leyó la carta [dos|cinco] veces y empezó a sonreír. Luego cogió una pluma y contestó. ¡A la mañana siguiente había algo en el buzón "
          "de {N}! «Querida amistad», decía, «[nadie me había escrito nunca|tu carta me ha alegrado el día]. [¿Tomamos un té|¿Nos "
          "vemos]?» {N} fue corriendo. Ahora se escriben todos los días, aunque viven a [dos puertas|diez pasos]."],
    moral=["una palabra amable siempre encuentra a alguien", "si quieres una carta, escribe una",
           "el viento sabe dónde hace falta cariño"]))

# what a request may ask for, and the plot that answers it
TOPICS_EN = {
    "lost": ["something lost", "a lost thing", "losing something"], "moon": ["the moon", "touching the moon", "a wish"],
    "sea": ["the sea", "the ocean", "a long journey", "seeing the sea"], "dark": ["the dark", "being afraid of the dark", "courage", "being brave"],
    "cake": ["a birthday", "a cake", "a birthday cake"], "noise": ["a strange noise", "a new neighbor", "a noise in the night"],
    "race": ["a race", "winning", "kindness"], "seed": ["a seed", "a plant", "patience", "waiting"], "rain": ["the rain", "a storm", "rain"],
    "fly": ["flying", "a flying machine", "an invention"], "star": ["a star", "the stars", "a fallen star"],
    "sleep": ["bedtime", "sleep", "not being able to sleep", "the night"], "map": ["a treasure", "treasure", "an adventure", "a map"],
    "song": ["music", "singing", "a song"], "letter": ["a letter", "friendship", "a new friend"]}
TOPICS_ES = {
    "lost": ["algo perdido", "un objeto perdido"], "moon": ["la luna", "un deseo"], "sea": ["el mar", "un viaje", "un largo viaje"],
    "dark": ["la oscuridad", "el miedo", "el miedo a la oscuridad", "la valentía"], "cake": ["un cumpleaños", "un pastel"],
    "noise": ["un ruido extraño", "un vecino nuevo"], "race": ["una carrera", "la bondad"], "seed": ["una semilla", "la paciencia"],
    "rain": ["la lluvia", "una tormenta"], "fly": ["volar", "un invento", "una máquina voladora"], "star": ["una estrella", "las estrellas"],
    "sleep": ["el sueño", "la noche", "alguien que no podía dormir"], "map": ["un tesoro", "una aventura", "un mapa"],
    "song": ["la música", "una canción"], "letter": ["una carta", "la amistad"]}
WHO_EN = {"dark": "who is afraid of the dark|who was afraid of the dark", "moon": "who wants to touch the moon|who wants the moon",
          "sea": "who wants to see the sea|who has never seen the sea", "fly": "who wants to fly|who wanted to fly",
          "sleep": "who cannot sleep|who can't sleep", "song": "who wants to sing|who loves music", "map": "who finds a treasure|who finds a map",
          "star": "who finds a star", "race": "who wants to win a race|who runs a race", "cake": "who bakes a cake", "seed": "who plants a seed",
          "letter": "who writes a letter|who wants a friend", "lost": "who lost something"}
WHO_ES = {"dark": "que tiene miedo a la oscuridad|que tenía miedo a la oscuridad", "moon": "que quiere tocar la luna|que quería la luna",
          "sea": "que quiere ver el mar|que nunca ha visto el mar", "fly": "que quiere volar|que quería volar",
          "sleep": "que no puede dormir|que no podía dormir", "song": "que quiere cantar|que quería cantar",
          "map": "que encuentra un tesoro|que encuentra un mapa", "star": "que encuentra una estrella", "race": "que corre una carrera",
          "cake": "que hace un pastel", "seed": "que planta una semilla", "letter": "que escribe una carta|que quiere un amigo",
          "lost": "que perdió algo"}

COLORS_EN = "red blue green yellow purple orange".split()
COLORS_ES = "verde azul naranja gris rosa violeta".split()
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


def request(rng, lang):
    """A request for a story, and the story (in another language now and then)."""
    en = lang == "en"
    hero = friend = place = key = None
    about, r = "", rng.random()
    word = rng.choice(("about ",) * 5 + ("with ", "of ")) if en else rng.choice(("de ", "sobre ", "de ", "de ", "con ", "acerca de "))
    if r < .08:
        pass                                                            # anything
    elif r < .30:                                                       # one hero
        hero = random_hero(rng, lang)
        q = rng.random()
        if q < .3:
            add_trait(hero, lang, rng)
        about = offer_of(hero, lang)
        if q < .4 and rng.random() < .5 or .4 < q < .55:
            about += named(hero, lang, rng)
        elif .55 < q < .67:
            about = (plural_en if en else plural_es)(hero.word)
        elif .67 < q < .75:
            named(hero, lang, rng)
            about = ("my " if en else "mi ") + hero.word + " " + hero.name
        elif .75 < q < .84:
            named(hero, lang, rng)
            if hero.kind is None:
                hero = Hero(rng, lang, name=hero.name)
            about = hero.name
    elif r < .50:                                                       # two
        hero, friend = random_hero(rng, lang), random_hero(rng, lang, True)
        while friend.word == hero.word or friend.name == hero.name:
            friend = random_hero(rng, lang, True)
        for h in (hero, friend):
            if rng.random() < .08:
                add_trait(h, lang, rng)
        both = [offer_of(hero, lang), offer_of(friend, lang)]
        if rng.random() < .1:
            both = [both[0] + named(hero, lang, rng), both[1] + named(friend, lang, rng)]
        about = (" and " if en else " y ").join(both)
        q = rng.random()
        if q < .2:
            place = rng.choice(PLACES)
            about += " " + where_asked(place, lang, rng)
        elif q < .4:
            friend, key = None, rng.choice(list(PLOTS))
            about = offer_of(hero, lang) + (" and " if en else " y ") + rng.choice((TOPICS_EN if en else TOPICS_ES)[key])
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
    bare = about
    if about:
        about = " " + word + about
        if not en:
            about = about.replace(" de el ", " del ")
    out = lang
    traits = any(h is not None and h.trait for h in (hero, friend))
    if rng.random() < .11 and not traits and (hero is None or hero.kind is not None) and (friend is None or friend.kind is not None):
        out = "es" if en else "en"
        about = (rng.choice((" in Spanish", " in Spanish")) if en else " en inglés") + about if rng.random() < .5 else \
            about + (" in Spanish" if en else " en inglés")
        named_in = {h.name for h in (hero, friend) if h and h.name in about}

        def other(h):
            n = h and Hero(rng, out, h.kind, h.fem if out == "es" else None)
            if n and h.name in named_in:
                n.name = h.name
            return n
        hero, friend = other(hero), other(friend)
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
