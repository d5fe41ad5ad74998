"""The ambiguous nouns: one English word, several French ones, and the words that decide.

A noun is a line with its English plural after a slash, its senses the indented lines below:

    french gender kind | adjectives | verbs before it | verbs after it | owners | parts of

Each list has deciding words, entries of adjectives.py, verbs.py and nouns.py. A word decides only
by its *relation* to the noun: as the adjective that modifies it (`the muddy bank`, `the bank is
muddy`), the verb whose object it is (`robs the bank`), the verb whose subject it is (`the bat
sleeps`), its owner (`the elephant has a trunk`, `the trunk of the elephant`), or only as the noun
after `of` (`the bark of the tree`). `-` is an empty list.
"""

AMBIGUOUS = """
bank
    banque f l | private | rob | - | - | banker cashier
    rive f l | muddy sandy | - | - | river lake | -
bat
    chauve-souris/chauves-souris f a | hungry | feed | sleep fly | - | -
    batte f o | broken | repair | - | player | -
trunk
    tronc m n | - | cut | - | tree oak | -
    trompe f n | - | - | - | elephant mammoth | -
    coffre m o | - | repair | - | car | -
seal
    phoque m a | hungry | feed | swim sleep | - | -
    sceau m o | broken official | - | - | - | king minister
nail
    clou m o | rusty | - | - | carpenter | wall
    ongle m n | painful | - | - | - | finger hand
key
    clé f o | rusty | lose | - | - | door house
    touche f o | - | press | - | piano computer | -
match/matches
    allumette f o | wet | burn | - | - | -
    match/matchs m x | exciting | win | - | team | -
bark
    écorce f n | - | - | - | tree oak | -
    aboiement m x | - | hear | - | - | dog wolf
spring
    ressort m o | rusty | repair | - | clock | -
    source f n | fresh | - | - | village | -
plant
    plante f n | - | water | grow | garden | -
    usine f l | nuclear | build | - | company | -
pen
    stylo m o | broken | - | - | writer | -
    enclos m l | muddy | scrub | - | farmer | pig
bow
    arc m o | - | - | - | archer hunter | -
    proue f n | - | - | - | ship boat | -
    nœud m o | - | - | - | gift | ribbon
ring
    bague f o | golden | wear | - | queen | -
    sonnerie f x | electric | hear | - | telephone | -
scale
    écaille f n | - | - | - | snake dragon | -
    balance f o | electric | repair | - | baker | -
    gamme f x | - | - | - | - | pianist violinist
fan
    éventail m o | folded | - | - | - | dancer
    ventilateur m o | electric | - | - | computer | -
    admirateur m p | loyal happy | - | - | singer actor | -
palm
    palmier m n | - | water | - | island | -
    paume f n | painful | - | - | - | hand
pupil
    élève m p | happy | - | - | teacher school | -
    pupille f n | dilated | - | - | eye | -
file
    lime f o | rusty | - | - | carpenter mechanic | -
    dossier m o | secret | read | - | lawyer | -
star
    étoile f n | - | - | shine | sky | -
    vedette f p | happy | invite | - | film | -
bill
    facture f o | - | pay | - | restaurant | client
    bec m n | - | - | - | bird duck | -
nut
    noix f f | ripe | eat | - | squirrel | -
    écrou m o | rusty | - | - | mechanic wheel | -
calf/calves
    veau m a | hungry | feed | sleep | cow | -
    mollet m n | painful | - | - | - | runner leg
horn
    corne f n | - | - | - | goat cow | -
    klaxon m o | broken | repair | - | truck car | -
    cor m o | musical | - | - | musician | -
court
    cour f l | royal | - | - | king queen | -
    tribunal m l | - | - | - | - | judge lawyer
jam
    confiture f f | sweet | eat | - | - | -
    embouteillage m x | - | - | - | - | road city
bug
    insecte m a | hungry | - | fly sleep | - | -
    bogue m x | - | correct | - | program computer | -
date
    datte f f | ripe sweet | eat | - | - | -
    rendez-vous/rendez-vous m x | romantic | cancel | - | - | -
pitcher
    lanceur m p | tired | - | - | team | -
    cruche f o | broken | fill | - | - | -
club
    massue f o | heavy | - | - | giant | -
    club/clubs m l | private | - | vote | - | -
lock
    serrure f n | rusty | - | - | door | -
    mèche f n | curly | cut | - | - | -
sentence
    phrase f x | - | read | - | novel book | -
    peine f x | - | - | - | - | prisoner criminal
tank
    char m o | military | - | - | soldier | -
    réservoir m o | - | fill | - | truck car | -
wave
    vague f n | cold | - | - | sea | -
    onde f x | magnetic electric | - | - | - | -
cabinet
    cabinet m x | political | - | vote | - | minister
    armoire f o | - | open | - | kitchen | -
party/parties
    fête f x | noisy | - | - | princess | -
    parti m x | political | - | vote | - | -
step
    marche f n | - | - | - | church staircase | -
    étape f x | - | - | - | project journey | -
tip
    pourboire m o | - | receive | - | - | waiter
    pointe f n | - | - | - | sword knife | -
bolt
    boulon m o | rusty | - | - | wheel | -
    éclair m n | blinding | - | - | storm | -
temple
    temple m l | - | build | - | priest city | -
    tempe f n | painful | - | - | face | -
chest
    coffre m o | - | bury | - | pirate | -
    poitrine f n | painful | - | - | - | patient
board
    planche f o | - | cut | - | - | floor
    conseil m x | - | - | vote | company | -
speaker
    orateur m p | happy nervous | - | - | - | -
    *haut-parleur/*haut-parleurs m o | electric | repair | - | radio | -
plot
    intrigue f x | - | - | - | film novel | -
    complot m x | military | - | - | traitor | -
capital
    capitale f l | - | visit | - | country kingdom | -
    capital m x | - | - | - | company banker | -
ruler
    règle f o | broken | - | - | student | -
    souverain m p | happy | - | - | kingdom | -
ball
    ballon m o | round | throw | - | child boy | -
    bal/bals m x | royal elegant | - | - | - | -
pole
    pôle m n | magnetic | - | - | - | planet
    perche f o | - | throw | - | athlete | -
racket
    raquette f o | broken | repair | - | player | -
    vacarme m x | unbearable | hear | - | - | -
chip
    puce f o | electric | - | - | computer | -
    frite f f | salty | eat | - | - | -
cape
    cape f o | - | wear | - | magician | -
    cap m l | - | - | - | continent coast | -
drill
    perceuse f o | electric | repair | - | - | -
    exercice m x | military | - | - | army | -
square
    place f l | - | cross | - | village city | -
    carré m x | - | draw | - | mathematician | -
"""
