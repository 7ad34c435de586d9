"""The plots: what happens, told in pieces with choices and slots, in English and Spanish; and how one asks for each."""

from words import SEA, SKY

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
