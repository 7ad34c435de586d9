"""The words of the stories: heroes, names, places, traits, habits, openings and endings, in English and Spanish."""

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
COLORS_EN = "red blue green yellow purple orange".split()
COLORS_ES = "verde azul naranja gris rosa violeta".split()
